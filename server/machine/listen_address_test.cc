#include "server/machine/listen_address.h"

#include <sys/un.h>

#include <filesystem>
#include <string>

#include "gtest/gtest.h"

namespace livnd::server {
namespace {

TEST(ListenAddressTest, ParsesWhatItPrints) {
  for (const char* text : {"unix:/run/livnd.sock", "127.0.0.1:0", "localhost:5005", "[::1]:65535",
                           "0.0.0.0:80", "host.example:1"}) {
    const auto address = ListenAddress::Parse(text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(address->ToString(), text);
  }
}

TEST(ListenAddressTest, APathIsAbsolute) {
  std::filesystem::current_path("/tmp");  // the test's own has too long a name
  const std::string here = "/tmp";
  EXPECT_EQ(ListenAddress::Parse("unix:a/b.sock")->ToString(), "unix:" + here + "/a/b.sock");
  const std::string just_too_long(sizeof(sockaddr_un::sun_path) - 1 - here.size(), 'x');
  EXPECT_FALSE(ListenAddress::Parse("unix:" + just_too_long).ok());
}

TEST(ListenAddressTest, TakesAUnixUrl) {
  EXPECT_EQ(ListenAddress::Parse("unix:///run/livnd.sock")->ToString(), "unix:/run/livnd.sock");
}

TEST(ListenAddressTest, RefusesEverythingElse) {
  const std::string long_path = "unix:/" + std::string(200, 'x');
  for (const std::string& text :
       {std::string(), std::string("127.0.0.1"), std::string(":5005"), std::string("host:"),
        std::string("host:-1"), std::string("host:+1"), std::string("host: 1"),
        std::string("host:65536"), std::string("host:99999999999999999999"), std::string("::1:80"),
        std::string("[::1:80"), std::string("[localhost]:80"), std::string("http://host:80"),
        std::string("unix:"), std::string("unix://relative"), std::string("unix:a\0b", 8),
        long_path}) {
    const auto address = ListenAddress::Parse(text);
    EXPECT_EQ(address.status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(ListenAddressTest, RefusesACommaInAPathAtWhichNoClientCouldReachIt) {
  for (const char* text : {"unix:/b,", "unix:/a,b/s", "unix:///a,"}) {
    const auto address = ListenAddress::Parse(text);
    EXPECT_EQ(address.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_NE(address.status().message().find("comma"), absl::string_view::npos)
        << address.status();
  }
}

TEST(ListenAddressTest, KnowsWhatOnlyThisMachineReaches) {
  for (const char* local : {"unix:/a", "127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1"}) {
    EXPECT_TRUE(ListenAddress::Parse(local)->is_local()) << local;
  }
  for (const char* remote : {"0.0.0.0:1", "[::]:1", "192.168.0.1:1", "128.0.0.1:1",
                             "localhost.example:1", "127.0.0.1.example:1"}) {
    EXPECT_FALSE(ListenAddress::Parse(remote)->is_local()) << remote;
  }
}

}  // namespace
}  // namespace livnd::server
