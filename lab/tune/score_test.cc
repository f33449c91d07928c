#include "lab/tune/score.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"
#include "lab/tune/search_space.h"

namespace livnd::lab {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

Constraint Of(Constraint::Kind kind, double low, double high, double scale = 1.0) {
  Constraint constraint;
  constraint.kind = kind;
  constraint.low = low;
  constraint.high = high;
  constraint.scale = scale;
  return constraint;
}

double ValueOf(const Constraint& constraint, double x, int64_t num_units = 1) {
  Features features;
  features.fill(x);
  return ConstraintValues({constraint}, features, num_units)[0];
}

TEST(Constraints, AreWhatTheirDefinitionsSay) {
  const Constraint max = Of(Constraint::Kind::kMax, 0, 50, 50);
  EXPECT_DOUBLE_EQ(ValueOf(max, 0), 2.0);
  EXPECT_DOUBLE_EQ(ValueOf(max, 50), 1.0);
  EXPECT_DOUBLE_EQ(ValueOf(max, 60), -1.2);
  EXPECT_DOUBLE_EQ(ValueOf(max, kNone), -10.0);
  const Constraint min = Of(Constraint::Kind::kMin, 0.5, 0);
  EXPECT_DOUBLE_EQ(ValueOf(min, 0.5), 1.0);
  EXPECT_DOUBLE_EQ(ValueOf(min, 0.75), 1.25);
  EXPECT_DOUBLE_EQ(ValueOf(min, 0.25), -1.25);
  const Constraint band = Of(Constraint::Kind::kBand, 0.5, 1.5);
  EXPECT_DOUBLE_EQ(ValueOf(band, 1.0), 1.0);
  EXPECT_DOUBLE_EQ(ValueOf(band, 1.25), 0.95);
  EXPECT_DOUBLE_EQ(ValueOf(band, 0.25), -1.0);
  EXPECT_DOUBLE_EQ(ValueOf(band, 3.0), -2.0);
  EXPECT_DOUBLE_EQ(ValueOf(band, kNone), -2.0);
}

TEST(Constraints, CountUnitsDecideByOthersAndHoldTogether) {
  Constraint per_unit = Of(Constraint::Kind::kMax, 0, 100, 10);
  per_unit.per_unit = true;
  EXPECT_DOUBLE_EQ(ValueOf(per_unit, 150, 2), 6.0);
  Constraint decided = Of(Constraint::Kind::kMin, 1.0, 0);
  decided.feature = 0;
  decided.decided_by = 1;
  Features features;
  features.fill(0.0);
  features[1] = 2.0;
  EXPECT_DOUBLE_EQ(ConstraintValues({decided}, features, 1)[0], 0.0);  // 1 + (0 - 1)
  Constraint all;
  all.kind = Constraint::Kind::kAll;
  all.all_of = {0};
  EXPECT_EQ(ConstraintValues({decided, all}, features, 1)[1], 1.0);
  features[1] = 0.5;
  features[0] = 5.0;
  EXPECT_EQ(ConstraintValues({decided, all}, features, 1)[1], -1.0);
}

TEST(Costs, AreWhatTheirDefinitionsSay) {
  Objective objective;
  objective.target = 1.2;
  Features features;
  features.fill(1.0);
  EXPECT_DOUBLE_EQ(CostOf(objective, features), 0.04);
  objective.cost = Cost::kAbsolute;
  EXPECT_DOUBLE_EQ(CostOf(objective, features), 0.2);
  objective.cost = Cost::kValue;
  EXPECT_DOUBLE_EQ(CostOf(objective, features), 1.0);
  objective.cost = Cost::kLogSquare;
  EXPECT_NEAR(CostOf(objective, features), std::pow(std::log(1.001 / 1.201), 2), 1e-15);
  features.fill(kNone);
  EXPECT_EQ(CostOf(objective, features), kUndefinedCost);
}

TEST(Scores, AverageTrialsAndTakeTheWorstConstraint) {
  Target target;
  target.objectives.resize(1);
  target.objectives[0].target = 1.0;
  target.constraints = {Of(Constraint::Kind::kMax, 0, 2)};
  Features few, many;
  few.fill(1.0);
  many.fill(3.0);
  const Scores scores = ScoreTrials(target, {few, many}, 1);
  EXPECT_DOUBLE_EQ(scores.objectives[0], 2.0);
  EXPECT_DOUBLE_EQ(scores.features[4], 2.0);
  EXPECT_DOUBLE_EQ(scores.constraints[0], -2.0);
  EXPECT_FALSE(scores.feasible());
  EXPECT_DOUBLE_EQ(scores.violation(), std::log(3.0));
  EXPECT_TRUE(ScoreTrials(target, {few}, 1).feasible());
  EXPECT_EQ(ScoreTrials(target, {few}, 1).violation(), 0.0);
}

TEST(Scales, GoThereAndBack) {
  for (const Scale scale : {Scale::kIdentity, Scale::kLog10, Scale::kLog1p}) {
    for (const double value : {0.01, 0.7, 1.0, 345.0}) {
      EXPECT_NEAR(Decode(Encode(value, scale), scale), value, 1e-12 * value + 1e-15);
    }
  }
  EXPECT_EQ(Decode(Encode(0.0, Scale::kLog1p), Scale::kLog1p), 0.0);
  EXPECT_EQ(Encode(100.0, Scale::kLog10), 2.0);
  EXPECT_EQ(Decode(-5.0, Scale::kLog1p), 0.0);
}

}  // namespace
}  // namespace livnd::lab
