#include "server/session/holdings.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace livnd::server {
namespace {

Holding Idle(const std::string& id, int num_envs, int idle_s) {
  return {id, num_envs, false, absl::Seconds(idle_s)};
}

TEST(HoldingsTest, TellsEnvironmentsCopiesIdleTimeAndWhatIsLeft) {
  EXPECT_EQ(DescribeHoldings({Idle("A-v0", 1, 0)}, absl::Minutes(30)),
            "1 of A-v0 (1 copy, idle 0); the first is let go in 30m if nobody calls it");
  EXPECT_EQ(DescribeHoldings({Idle("A-v0", 1, 5),
                              Idle("B-v0", 64, 2),
                              {"C-v0", 3, true, {}},
                              Idle("B-v0", 64, 1760),
                              {"B-v0", 2, true, {}}},
                             absl::Minutes(30)),
            "3 of B-v0 (130 copies, 1 in use, idle 2s to 29m20s), 1 of A-v0 (1 copy, idle 5s), "
            "1 of C-v0 (3 copies, in use); the first is let go in 40s if nobody calls it");
}

TEST(HoldingsTest, TellsNothingOfOthersButTheirNumber) {
  EXPECT_EQ(DescribeHoldings({Idle("A-v0", 1, 5)}, absl::Seconds(65), 3),
            "1 of A-v0 (1 copy, idle 5s), 3 of other tenants; the first is let go in 1m if nobody "
            "calls it");
  EXPECT_EQ(DescribeHoldings({}, absl::Minutes(30), 3), "3 of other tenants");
}

TEST(HoldingsTest, PromisesNothingThatDoesNotCome) {
  EXPECT_EQ(DescribeHoldings({Idle("A-v0", 1, 5)}, absl::InfiniteDuration()),
            "1 of A-v0 (1 copy, idle 5s); none is let go for being idle");
  EXPECT_EQ(DescribeHoldings({{"A-v0", 2, true, {}}}, absl::Minutes(30)),
            "1 of A-v0 (2 copies, in use)");
  EXPECT_EQ(DescribeHoldings({}, absl::Minutes(30)), "all are being made");
}

TEST(HoldingsTest, IsShortHoweverMuchThereIs) {
  std::vector<Holding> many;
  for (int i = 0; i < 10'000; ++i) many.push_back(Idle(absl::StrCat("E", i % 100, "-v0"), 2, i));
  const std::string text = DescribeHoldings(many, absl::Hours(30));
  EXPECT_LT(text.size(), 400u);
  EXPECT_NE(text.find("9600 of 96 other environments"), std::string::npos) << text;
}

}  // namespace
}  // namespace livnd::server
