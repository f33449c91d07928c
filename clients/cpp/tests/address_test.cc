// Addresses as users write them, and the proxies of the environment.
#include "clients/cpp/address.h"

#include <cstdlib>
#include <string>

#include "clients/cpp/client.h"
#include "gtest/gtest.h"

namespace livnd::client {
namespace {

using internal::Address;
using internal::ParseAddress;
using internal::ProxyVariable;

class AddressTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name :
         {"grpc_proxy", "https_proxy", "http_proxy", "no_grpc_proxy", "no_proxy"}) {
      unsetenv(name);
    }
  }
};

TEST_F(AddressTest, WhatIsNoAddressIsRefusedAtOnce) {
  for (const std::string text : {"", "unix:", "localhost", "localhost:", ":80", "a:b", "::1:80",
                                 "[::1]", "[x]:80", "a:65536", "dns:///a:80", "a b:80", "a#b:80"}) {
    const auto info = Client::Connect(text)->GetServerInfo();
    ASSERT_FALSE(info.ok()) << text;
    EXPECT_EQ(info.error().reason, "INVALID_FIELD") << text;
    EXPECT_EQ(info.error().metadata.at("value"), text);
    EXPECT_NE(info.error().metadata.at("accepted").find("unix:PATH"), std::string::npos);
  }
  const std::string path = "/" + std::string(200, 'x');
  const Error too_long = ParseAddress("unix:" + path).error();
  EXPECT_NE(too_long.message.find("201 bytes"), std::string::npos) << too_long.message;
}

TEST_F(AddressTest, ACommaInAPathIsRefusedBecauseGrpcWouldSplitThePathThere) {
  for (const std::string text : {"unix:/b,", "unix:/a,b/s", "unix:/a,"}) {
    const Error error = Client::Connect(text)->GetServerInfo().error();
    EXPECT_EQ(error.reason, "INVALID_FIELD") << text;
    EXPECT_EQ(error.metadata.at("value"), text);
    EXPECT_NE(error.message.find("comma"), std::string::npos) << error.message;
  }
  EXPECT_EQ(ParseAddress("unix:/a,b/../c")->target, "unix:/c");
}

TEST_F(AddressTest, PathsAreQuotedForGrpc) {
  EXPECT_EQ(ParseAddress("unix:/a/b.sock")->target, "unix:/a/b.sock");
  EXPECT_EQ(ParseAddress("unix:///a/../b~c")->target, "unix:/b~c");
  EXPECT_EQ(ParseAddress("unix:/a#b?c%d e")->target, "unix:/a%23b%3Fc%25d%20e");
  EXPECT_EQ(ParseAddress("unix:/\xc3\xa9")->target, "unix:/%C3%A9");
  EXPECT_EQ(ParseAddress("[::1]:5005")->host, "::1");
}

TEST_F(AddressTest, ThisMachineIsCalledWithoutAProxyHoweverItIsSpelled) {
  setenv("http_proxy", "http://proxy:3128", 1);
  for (const char* text :
       {"unix:/a", "localhost:1", "LocalHost:1", "127.0.0.1:1", "127.9.9.9:1", "[::1]:1"}) {
    EXPECT_EQ(ProxyVariable(*ParseAddress(text)), "") << text;
  }
}

TEST_F(AddressTest, OthersAreCalledThroughTheProxyUnlessTheEnvironmentSparesThem) {
  const Address lab = *ParseAddress("Lab.Example.org:5005");
  EXPECT_EQ(ProxyVariable(lab), "");
  setenv("http_proxy", "http://proxy:3128", 1);
  EXPECT_EQ(ProxyVariable(lab), "http_proxy");
  setenv("grpc_proxy", "http://proxy:3128", 1);
  EXPECT_EQ(ProxyVariable(lab), "grpc_proxy");
  setenv("no_proxy", "other.org, lab.EXAMPLE.org", 1);
  EXPECT_EQ(ProxyVariable(lab), "");
  setenv("no_grpc_proxy", "other.org", 1);
  EXPECT_EQ(ProxyVariable(lab), "grpc_proxy");
}

TEST_F(AddressTest, WhenNobodyAnswersTheProxyIsNamed) {
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  ClientOptions impatient;
  impatient.connect_timeout = std::chrono::milliseconds(100);
  const auto info = Client::Connect("lab.example.org:5005", impatient)->GetServerInfo();
  ASSERT_FALSE(info.ok());
  for (const char* part : {"no livnd server answers at lab.example.org:5005", "http_proxy",
                           "http://127.0.0.1:1", "no_proxy"}) {
    EXPECT_NE(info.error().message.find(part), std::string::npos) << info.error().message;
  }
  EXPECT_FALSE(info.error().in_doubt);
  EXPECT_EQ(
      Client::Connect("LOCALHOST:1", impatient)->GetServerInfo().error().message.find("http_proxy"),
      std::string::npos);
}

}  // namespace
}  // namespace livnd::client
