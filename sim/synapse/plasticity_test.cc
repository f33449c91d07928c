#include "sim/synapse/plasticity.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/synapse/normalize.h"

namespace livnd::sim {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(PlasticityTest, HasLivnsDefaultsByGroup) {
  const std::vector<PlasticityRule> rules = *ResolvePlasticity({});
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_FALSE(rules[0].inhibitory);
  EXPECT_EQ(rules[0].theta_ltd_mv, -60.0);
  EXPECT_EQ(rules[0].slope, 1.3);
  EXPECT_EQ(rules[0].decay_tau_ms, 4.0);
  EXPECT_TRUE(rules[1].inhibitory);
  EXPECT_EQ(rules[1].ltp_half_mv, -80.0);
  EXPECT_EQ(rules[1].slope, 1.2);
  EXPECT_EQ(rules[1].decay_tau_ms, 1.0);
  EXPECT_EQ(DefaultPlasticity(PlasticityGroup::kInhibitory).at("theta_ltp"), -77.0);
  EXPECT_EQ(DefaultPlasticity(PlasticityGroup::kExcitatory).size(), 10u);
}

TEST(PlasticityTest, DepressingAndPlainSynapsesDoNotLearn) {
  EXPECT_FALSE(PlasticityGroupOf(SynapseKind::kDepressing).has_value());
  EXPECT_FALSE(PlasticityGroupOf(SynapseKind::kPlain).has_value());
  EXPECT_EQ(PlasticityGroupOf(SynapseKind::kPlastic), PlasticityGroup::kExcitatory);
  EXPECT_EQ(PlasticityGroupOf(SynapseKind::kPlasticNmda), PlasticityGroup::kExcitatory);
  EXPECT_EQ(PlasticityGroupOf(SynapseKind::kPlasticInhibitory), PlasticityGroup::kInhibitory);
}

TEST(PlasticityTest, SetsOnlyWhatIsNamed) {
  const std::vector<PlasticityRule> rules =
      *ResolvePlasticity({{"INH", {{"A_ltd", 0.5}, {"w_max", 9.0}}}});
  EXPECT_EQ(rules[1].a_ltd, 0.5);
  EXPECT_EQ(rules[1].w_max, 9.0);
  EXPECT_EQ(rules[1].a_ltp, 1.0);
  EXPECT_EQ(rules[0].w_max, 5.0);
}

TEST(PlasticityTest, NamesWhatItDoesNotTake) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const struct {
    PlasticityConfig config;
    const char* text;
  } kCases[] = {
      {{{"exc", {}}}, "unknown plasticity group 'exc'; accepted: EXC, INH"},
      {{{"EXC", {{"tau", 1.0}}}}, "EXC: unknown parameter 'tau'; accepted: A_ltp, A_ltd"},
      {{{"EXC", {{"theta_ltp", nan}}}}, "EXC: theta_ltp = nan; takes"},
      {{{"INH", {{"learning_slope", 0.0}}}}, "INH: learning_slope = 0; takes a number > 0"},
      {{{"INH", {{"learning_tau", -1.0}}}}, "INH: learning_tau = -1; takes a number > 0"},
      {{{"EXC", {{"w_min", -0.1}}}}, "EXC: w_min = -0.1; takes a number >= 0"},
      {{{"EXC", {{"w_max", 1e-5}}}}, "EXC: w_max = 1e-05; takes a number not below w_min"},
  };
  for (const auto& c : kCases) {
    const absl::Status status = ResolvePlasticity(c.config).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.text));
  }
}

std::vector<double> Normalized(std::vector<double> weights, std::vector<int64_t> groups,
                               std::optional<double> target) {
  std::vector<NormalizedWeight> bounds;
  for (int64_t g : groups) bounds.push_back({g, 1e-4, 5.0});
  NormalizeWeights(bounds, target, 20, absl::MakeSpan(weights));
  return weights;
}

// The expected numbers are those of livn 2.0.0's weights.normalize_weights.
TEST(NormalizeWeightsTest, ScalesEachGroupToItsSize) {
  EXPECT_THAT(Normalized({1.0, 3.0, 2.0, 4.0}, {0, 0, 1, 0}, std::nullopt),
              ElementsAre(DoubleNear(0.375, 1e-15), DoubleNear(1.125, 1e-15),
                          DoubleNear(1.0, 1e-15), DoubleNear(1.5, 1e-15)));
}

TEST(NormalizeWeightsTest, SharesOutWhatABoundCutsOff) {
  // 4 x 3 would be 12: 5, and the others grow until the sum is 12.
  EXPECT_THAT(Normalized({1.0, 1.0, 4.0}, {0, 0, 0}, 12.0),
              ElementsAre(DoubleNear(3.5, 1e-12), DoubleNear(3.5, 1e-12), 5.0));
  EXPECT_THAT(Normalized({1.0, 1.0}, {0, 0}, 20.0), ElementsAre(5.0, 5.0));
  EXPECT_THAT(Normalized({0.0, 0.0}, {0, 0}, 2.0), ElementsAre(0.0, 0.0));
}

}  // namespace
}  // namespace livnd::sim
