#include "server/trust/tokens.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "gtest/gtest.h"

namespace livnd::server {
namespace {

const std::string kA(32, 'a');
const std::string kB(64, 'b');
const std::string kC = "0123456789abcdefABCDEF-._~+/=0123456789";

std::string TenantOf(const Tokens& tokens, const std::string& token) {
  const std::string* tenant = tokens.TenantOf(token);
  return tenant == nullptr ? "" : *tenant;
}

TEST(TokensTest, ATokenIsATenants) {
  const auto tokens = Tokens::Parse(
      "f", absl::StrCat("# the lab\n\n", kA, " alice\n  ", kB, "\t bob \r\n", kC, " alice"));
  ASSERT_TRUE(tokens.ok()) << tokens.status();
  EXPECT_EQ(tokens->num_tokens(), 3u);
  EXPECT_EQ(tokens->num_tenants(), 2u);
  EXPECT_EQ(TenantOf(*tokens, kA), "alice");
  EXPECT_EQ(TenantOf(*tokens, kB), "bob");
  EXPECT_EQ(TenantOf(*tokens, kC), "alice");
  for (const std::string& other : {std::string(), kA.substr(1), kA + "a", std::string(32, 'A'),
                                   std::string("alice"), kA + " "}) {
    EXPECT_EQ(tokens->TenantOf(other), nullptr) << other;
  }
}

TEST(TokensTest, SaysWhatIsWrongAndShowsNoToken) {
  struct Case {
    std::string text;
    std::string file;
    std::string field;
    std::string value;
  };
  const std::vector<Case> cases = {
      {"", "f", "", "without a token"},
      {"# nothing\n\n", "f", "", "without a token"},
      {absl::StrCat(kA, "\n"), "f:1", "the line", "1 word(s)"},
      {absl::StrCat("\n", kA, " alice bob\n"), "f:2", "the line", "3 word(s)"},
      {absl::StrCat(kA.substr(1), " alice"), "f:1", "the token", "31 characters"},
      {absl::StrCat(std::string(513, 'x'), " alice"), "f:1", "the token", "513 characters"},
      {absl::StrCat(kA, "\xff alice"), "f:1", "the token",
       "33 characters, among them some that are not allowed"},
      {std::string(40, '\0') + " alice", "f:1", "the token",
       "40 characters, among them some that are not allowed"},
      {absl::StrCat(kA, " ", kB), "f:1", "the tenant's name", "64 characters"},
      {absl::StrCat("alice ", kA), "f:1", "the token", "5 characters"},
      {absl::StrCat(kA, " al/ce"), "f:1", "the tenant's name",
       "5 characters, among them some that are not allowed"},
      {absl::StrCat(kA, " alice\n", kB, " bob\n", kA, " bob\n"), "f:3", "the token",
       "there already"},
  };
  for (const Case& wrong : cases) {
    const absl::Status status = Tokens::Parse("f", wrong.text).status();
    const std::optional<FieldError> error = FieldErrorOf(status);
    ASSERT_TRUE(error.has_value()) << wrong.text << status;
    EXPECT_EQ(error->file, wrong.file) << status;
    EXPECT_EQ(error->field, wrong.field) << status;
    EXPECT_EQ(error->value, wrong.value) << status;
    EXPECT_FALSE(error->accepted.empty());
    EXPECT_FALSE(absl::StrContains(status.message(), "aaaa")) << status;
    EXPECT_FALSE(absl::StrContains(status.message(), "bbbb")) << status;
  }
}

TEST(TokensTest, EqualTextsAreEqual) {
  const Tokens one = *Tokens::Parse("f", kA + " alice");
  EXPECT_TRUE(one == *Tokens::Parse("g", "#\n" + kA + "  alice\n"));
  EXPECT_FALSE(one == *Tokens::Parse("f", kA + " bob"));
  EXPECT_FALSE(one == *Tokens::Parse("f", kB + " alice"));
}

}  // namespace
}  // namespace livnd::server
