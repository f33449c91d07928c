// From what was measured to what a search compares.
#ifndef LIVND_LAB_TUNE_SCORE_H_
#define LIVND_LAB_TUNE_SCORE_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "lab/tune/target.h"

namespace livnd::lab {

// What an objective is where its feature is not defined.
inline constexpr double kUndefinedCost = 1e3;

double CostOf(const Objective& objective, const Features& features);
// In the order of the constraints. livn 2.0.0's culture target, _max_constraint, _min_constraint,
// _band_constraint.
std::vector<double> ConstraintValues(const std::vector<Constraint>& constraints,
                                     const Features& features, int64_t num_units);

// Whether those are held that do not ask for what a stimulus measures.
bool HoldAtRest(const std::vector<Constraint>& constraints, const Features& features,
                int64_t num_units);

// All that an evaluation came to, all trials together.
struct Scores {
  std::vector<double> objectives;   // means
  std::vector<double> constraints;  // the least
  Features features;                // means
  bool feasible() const;            // all constraints are above 0
  // How far from feasible: the sum of ln(1 - c) over constraints that are not held, 0 of feasible ones.
  double violation() const;
};
Scores ScoreTrials(const Target& target, absl::Span<const Features> trials, int64_t num_units);

}  // namespace livnd::lab

#endif  // LIVND_LAB_TUNE_SCORE_H_
