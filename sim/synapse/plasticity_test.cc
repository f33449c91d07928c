#include "sim/synapse/plasticity.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/field_error_matchers.h"
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
    const char *field, *value, *accepted;
  } kCases[] = {
      {{{"exc", {}}}, "plasticity[exc]", "an unknown name", "EXC, INH"},
      {{{"EXC", {{"tau", 1.0}}}}, "plasticity[EXC][tau]", "an unknown name", "A_ltp, A_ltd"},
      {{{"EXC", {{"theta_ltp", nan}}}}, "plasticity[EXC][theta_ltp]", "nan", "within +-1e6"},
      {{{"INH", {{"learning_slope", 0.0}}}}, "plasticity[INH][learning_slope]", "0", "> 0"},
      {{{"INH", {{"learning_tau", -1.0}}}}, "plasticity[INH][learning_tau]", "-1", "> 0"},
      {{{"EXC", {{"w_min", -0.1}}}}, "plasticity[EXC][w_min]", "-0.1", ">= 0"},
      {{{"EXC", {{"w_max", 1e-5}}}}, "plasticity[EXC][w_max]", "1e-05", "not below w_min = 0.0001"},
      {{{"EXC", {{"w_min", 6.0}}}}, "plasticity[EXC][w_min]", "6", "not above w_max = 5"},
  };
  for (const auto& c : kCases) {
    const absl::Status status = ResolvePlasticity(c.config).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(status, IsFieldError(c.field, c.value, HasSubstr(c.accepted)));
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
