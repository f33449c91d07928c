#include "server/trust/quotas.h"

#include <string>

#include "base/field_error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace livnd::server {
namespace {

using ::testing::HasSubstr;

TEST(QuotasTest, ATenantHasItsOwnAndTheDefaults) {
  const auto quotas = Quotas::Parse("q", R"(
alice: {max_sessions: 3, max_bytes: 2G}
default:
  max_sessions: 8
  max_envs: 100
  max_simulated_s: 1.5e3
bob:
  max_sessions: 0
)");
  ASSERT_TRUE(quotas.ok()) << quotas.status();
  EXPECT_EQ(quotas->Of("alice").max_sessions, 3);
  EXPECT_EQ(quotas->Of("alice").max_envs, 100);
  EXPECT_EQ(quotas->Of("alice").max_bytes, int64_t{2} << 30);
  EXPECT_EQ(quotas->Of("alice").max_simulated_s, 1500.0);
  EXPECT_EQ(quotas->Of("bob").max_sessions, 0);
  EXPECT_EQ(quotas->Of("bob").max_envs, 100);
  EXPECT_EQ(quotas->Of("").max_sessions, 8);
  EXPECT_EQ(quotas->Of("carol").max_bytes, 0);
}

TEST(QuotasTest, NothingLimitsNothing) {
  for (const char* text : {"", "# none\n", "~\n"}) {
    const auto quotas = Quotas::Parse("q", text);
    ASSERT_TRUE(quotas.ok()) << quotas.status();
    EXPECT_EQ(quotas->Of("alice"), Quota());
  }
}

TEST(QuotasTest, SaysWhatIsWrongAndWhere) {
  const auto wrong = [](const std::string& text) {
    const auto quotas = Quotas::Parse("q.yaml", text);
    EXPECT_FALSE(quotas.ok()) << text;
    return std::string(quotas.status().message());
  };
  EXPECT_THAT(wrong("alice: 3\n"), HasSubstr("q.yaml:1: "));
  EXPECT_THAT(wrong("a: {}\nalice: {max_session: 3}\n"),
              AllOf(HasSubstr("q.yaml:2: 'alice.max_session'"),
                    HasSubstr("max_sessions (the nearest), or max_sessions, max_envs")));
  EXPECT_THAT(wrong("alice: {max_sessions: -1}\n"), HasSubstr("alice.max_sessions is '-1'"));
  EXPECT_THAT(wrong("alice: {max_sessions: 1.5}\n"), HasSubstr("0 .. 2147483647"));
  EXPECT_THAT(wrong("alice: {max_sessions: '3'}\n"), HasSubstr("alice.max_sessions"));
  EXPECT_THAT(wrong("alice: {max_bytes: lots}\n"), HasSubstr("4G, 512M"));
  EXPECT_THAT(wrong("alice: {max_simulated_s: .nan}\n"), HasSubstr("alice.max_simulated_s"));
  EXPECT_THAT(wrong("alice: {max_simulated_s: .inf}\n"), HasSubstr("alice.max_simulated_s"));
  EXPECT_THAT(wrong("alice: {max_envs: 1, max_envs: 1}\n"), HasSubstr("there already"));
  EXPECT_THAT(wrong("alice: {}\nalice: {}\n"), HasSubstr("q.yaml:2: alice is there already"));
  EXPECT_THAT(wrong("- alice\n"), HasSubstr("a map of tenants"));
  EXPECT_THAT(wrong("a: {\n"), HasSubstr("no YAML"));
}

}  // namespace
}  // namespace livnd::server
