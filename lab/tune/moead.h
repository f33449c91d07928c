// Search by decomposition: each weight vector has a point of its own, and neighbours help each other.
#ifndef LIVND_LAB_TUNE_MOEAD_H_
#define LIVND_LAB_TUNE_MOEAD_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "lab/tune/draws.h"
#include "lab/tune/search.h"

namespace livnd::lab {

// MOEA/D-DE of Li, Zhang, IEEE Trans. Evol. Comput. 13 (2009), a generation at a time: the children of all
// points are made of their parents before any of them is evaluated, so that they can be evaluated side by side.
// Weights are pagmo's, of low discrepancy. Costs are compared by Tchebycheff's rule, each between its least and
// its largest among feasible points.
class Moead {
 public:
  using Points = std::vector<std::vector<double>>;

  // As many points as config.population, with what they came to. Throws what pagmo throws.
  Moead(const SearchConfig& config, Points points, Points values);

  // One generation. The first error of `evaluate`.
  absl::Status Evolve(const EvaluateBatch& evaluate);

 private:
  std::vector<double> Child(size_t i, bool from_neighbours);
  void Mutate(std::vector<double>& child);
  void MeasureRanges();
  // What a point is worth to a weight vector: less is better.
  double Worth(size_t weight, const std::vector<double>& values) const;

  const SearchConfig config_;
  Points points_, values_;
  Points weights_;
  std::vector<std::vector<size_t>> neighbours_;
  std::vector<double> ideal_, span_;  // of each objective
  Draws draws_;
};

}  // namespace livnd::lab

#endif  // LIVND_LAB_TUNE_MOEAD_H_
