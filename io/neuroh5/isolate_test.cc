#include "io/neuroh5/isolate.h"

#include <unistd.h>

#include <csignal>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace livnd::io {
namespace {

using testing::HasSubstr;

TEST(IsolateTest, ReturnsTheResult) {
  const std::string large(3'000'000, 'x');
  const auto result =
      RunIsolated(60, [&](const Note&) -> absl::StatusOr<std::string> { return large; });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(*result, large);
}

TEST(IsolateTest, ReturnsTheError) {
  const auto result = RunIsolated(60, [](const Note& note) -> absl::StatusOr<std::string> {
    note("somewhere");
    return absl::NotFoundError("not here");
  });
  EXPECT_EQ(result.status(), absl::NotFoundError("not here"));
}

TEST(IsolateTest, CrashBecomesAnErrorWithTheLastNote) {
  const auto result = RunIsolated(60, [](const Note& note) -> absl::StatusOr<std::string> {
    note("first");
    note("second");
    raise(SIGSEGV);
    return std::string();
  });
  EXPECT_TRUE(absl::IsDataLoss(result.status()));
  EXPECT_THAT(result.status().message(), HasSubstr("second: the HDF5 library crashed"));
}

TEST(IsolateTest, ExitIsACrashToo) {
  const auto result = RunIsolated(60, [](const Note&) -> absl::StatusOr<std::string> { _exit(0); });
  EXPECT_TRUE(absl::IsDataLoss(result.status()));
}

TEST(IsolateTest, TimeIsLimited) {
  const auto result = RunIsolated(0.2, [](const Note& note) -> absl::StatusOr<std::string> {
    note("slow place");
    for (;;) pause();
  });
  EXPECT_TRUE(absl::IsDataLoss(result.status()));
  EXPECT_THAT(result.status().message(), HasSubstr("slow place: took longer than 0.2 s"));
}

}  // namespace
}  // namespace livnd::io
