// The search itself: which points are tried, from what earlier ones came to.
#ifndef LIVND_LAB_TUNE_SEARCH_H_
#define LIVND_LAB_TUNE_SEARCH_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace livnd::lab {

struct SearchConfig {
  enum class Algorithm {
    kNsga2,  // Deb and others, IEEE Trans. Evol. Comput. 6 (2002)
    kMoead,  // lab/tune/moead.h
  };

  Algorithm algorithm = Algorithm::kNsga2;
  int population = 40;        // a multiple of 4, kMinPopulation .. kMaxPopulation
  int64_t evaluations = 400;  // in all; a multiple of the population
  uint32_t seed = 1;
  std::vector<double> low, high;  // of each coordinate
  int num_objectives = 2;

  static constexpr int kMinPopulation = 8;
  static constexpr int kMaxPopulation = 4096;
};

// What points came to, all objectives finite. Called with a population at a time.
using EvaluateBatch = std::function<absl::StatusOr<std::vector<std::vector<double>>>(
    const std::vector<std::vector<double>>& points)>;

// Begins with a symmetric Latin hypercube. Which points are asked for, in which order, is a function of the
// configuration and of what they came to; one with more evaluations begins with the same ones. Gives back the
// first error of `evaluate`.
absl::Status Search(const SearchConfig& config, const EvaluateBatch& evaluate);

// Objectives for a search that knows no constraints, by Deb's rule: what is feasible dominates what is not,
// and of two infeasible points the one that violates less.
std::vector<double> Penalised(const std::vector<double>& objectives, double violation);
bool IsPenalised(const std::vector<double>& values);

}  // namespace livnd::lab

#endif  // LIVND_LAB_TUNE_SEARCH_H_
