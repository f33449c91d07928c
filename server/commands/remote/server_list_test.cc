#include "server/commands/remote/server_list.h"

#include <fstream>

#include "absl/time/clock.h"
#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/testing/temporary_folder.h"

namespace livnd::server {
namespace {

TEST(ParseAddressesTest, TakesCommasLinesAndComments) {
  EXPECT_THAT(ParseAddresses("f", "a:1, b:2\n# c:3\n\nunix:/d\n").value(),
              testing::ElementsAre("a:1", "b:2", "unix:/d"));
  EXPECT_THAT(ParseAddresses("f", "a:1,a:1").status(),
              IsFieldError("f", "a:1 twice", "each server once"));
  EXPECT_FALSE(ParseAddresses("f", " \n#a:1\n").ok());
}

TEST(ServerListTest, HasOneCallerAServerUntilItIsKnown) {
  ServerList list({"a", "b"}, "");
  const auto first = list.Take();
  EXPECT_EQ(first->address, "a");
  EXPECT_FALSE(first->is_known);
  EXPECT_EQ(list.Take()->address, "b");
  EXPECT_FALSE(list.Take().has_value());
  list.Works("a", 2);
  list.Works("b", 4);
  // The one with the least callers for its size.
  for (const char* address : {"b", "a", "b", "b"}) {
    const auto taken = list.Take();
    ASSERT_TRUE(taken.has_value());
    EXPECT_EQ(taken->address, address);
    EXPECT_TRUE(taken->is_known);
  }
  EXPECT_FALSE(list.Take().has_value());
  list.Return("a");
  EXPECT_EQ(list.Take()->address, "a");
}

TEST(ServerListTest, OffersALostServerAfterAPauseAsUnknown) {
  ServerList list({"a"}, "");
  ASSERT_TRUE(list.Take().has_value());
  list.Works("a", 2);
  ASSERT_TRUE(list.Take().has_value());
  list.Lost("a", absl::UnavailableError("gone"));
  EXPECT_FALSE(list.Take().has_value());
  list.Lost("a", absl::UnavailableError("gone"));
  EXPECT_FALSE(list.Take().has_value());
  absl::SleepFor(absl::Milliseconds(2100));
  const auto again = list.Take();
  ASSERT_TRUE(again.has_value());
  EXPECT_FALSE(again->is_known);
  EXPECT_FALSE(list.Take().has_value());
}

TEST(ServerListTest, HasPatienceWhileAServerWorksAndSomeMore) {
  constexpr absl::Duration kPatience = absl::Milliseconds(30), kLonger = absl::Milliseconds(40);
  ServerList list({"a", "b"}, "");
  absl::SleepFor(kLonger);
  list.Take();
  list.Take();
  EXPECT_TRUE(list.StatusAfter(kPatience).ok());
  absl::SleepFor(kLonger);
  // Nobody knows of one yet that it is away.
  EXPECT_TRUE(list.StatusAfter(kPatience).ok());
  list.Lost("a", absl::UnavailableError("gone"));
  EXPECT_EQ(list.StatusAfter(kPatience).message(), "gone");
  list.Works("b", 1);
  EXPECT_TRUE(list.StatusAfter(kPatience).ok());
  absl::SleepFor(kLonger);
  EXPECT_TRUE(list.StatusAfter(kPatience).ok());
  list.Lost("b", absl::UnavailableError("too"));
  EXPECT_TRUE(list.StatusAfter(kPatience).ok());
  absl::SleepFor(kLonger);
  EXPECT_EQ(list.StatusAfter(kPatience).message(), "too");
}

TEST(ServerListTest, ReadsItsFileAgain) {
  const io::TemporaryFolder folder;
  const std::string file = folder.file("servers");
  std::ofstream(file) << "a\n";
  ServerList list({"a"}, file);
  EXPECT_EQ(list.Take()->address, "a");
  EXPECT_FALSE(list.Take().has_value());
  std::ofstream(file) << "a\nb\n";
  absl::SleepFor(absl::Milliseconds(250));
  EXPECT_EQ(list.Take()->address, "b");
}

}  // namespace
}  // namespace livnd::server
