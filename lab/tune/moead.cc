#include "lab/tune/moead.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <random>
#include <utility>

#include "base/status_macros.h"
#include "pagmo/types.hpp"
#include "pagmo/utils/multi_objective.hpp"

namespace livnd::lab {
namespace {

// Li and Zhang's numbers.
constexpr size_t kNumNeighbours = 20;
constexpr double kFromNeighbours = 0.9;
constexpr size_t kMostReplaced = 2;
constexpr double kDifference = 0.5;
constexpr double kMutationIndex = 20.0;

double SquaredDistance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (size_t k = 0; k < a.size(); ++k) sum += (a[k] - b[k]) * (a[k] - b[k]);
  return sum;
}

}  // namespace

Moead::Moead(const SearchConfig& config, Points points, Points values)
    : config_(config), points_(std::move(points)), values_(std::move(values)), draws_(config.seed) {
  std::mt19937 unused(config.seed);  // low discrepancy draws nothing
  weights_ = pagmo::decomposition_weights(
      static_cast<pagmo::vector_double::size_type>(config.num_objectives), points_.size(),
      "low discrepancy", unused);
  const size_t num = std::min(kNumNeighbours, points_.size() / 2);
  for (const auto& weight : weights_) {
    std::vector<size_t> order(weights_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return SquaredDistance(weight, weights_[a]) < SquaredDistance(weight, weights_[b]);
    });
    order.resize(num);
    neighbours_.push_back(std::move(order));
  }
  MeasureRanges();
}

void Moead::MeasureRanges() {
  const auto n = static_cast<size_t>(config_.num_objectives);
  std::vector<double> low(n, std::numeric_limits<double>::infinity()), high(n, -low[0]);
  for (const auto& values : values_) {
    if (IsPenalised(values)) continue;
    for (size_t k = 0; k < n; ++k) {
      low[k] = std::min(low[k], values[k]);
      high[k] = std::max(high[k], values[k]);
    }
  }
  ideal_.assign(n, 0.0);
  span_.assign(n, 1.0);
  for (size_t k = 0; k < n; ++k) {
    if (low[k] <= high[k]) ideal_[k] = low[k];
    if (low[k] < high[k]) span_[k] = high[k] - low[k];
  }
}

double Moead::Worth(size_t weight, const std::vector<double>& values) const {
  // What is not feasible comes after all that is, whatever the weights.
  if (IsPenalised(values)) return values[0];
  double worst = 0.0;
  for (size_t k = 0; k < values.size(); ++k) {
    const double w = std::max(weights_[weight][k], 1e-6);
    worst = std::max(worst, w * (values[k] - ideal_[k]) / span_[k]);
  }
  return worst;
}

std::vector<double> Moead::Child(size_t i, bool from_neighbours) {
  const auto pick = [&] {
    return from_neighbours ? neighbours_[i][draws_.Below(neighbours_[i].size())]
                           : draws_.Below(points_.size());
  };
  const size_t a = pick();
  size_t b = pick();
  while (b == a) b = pick();
  std::vector<double> child = points_[i];
  for (size_t d = 0; d < child.size(); ++d) {
    child[d] += kDifference * (points_[a][d] - points_[b][d]);
  }
  Mutate(child);
  for (size_t d = 0; d < child.size(); ++d) {
    child[d] = std::clamp(child[d], config_.low[d], config_.high[d]);
  }
  return child;
}

// Deb's polynomial mutation, of one coordinate on average.
void Moead::Mutate(std::vector<double>& child) {
  for (size_t d = 0; d < child.size(); ++d) {
    if (draws_.Uniform() * static_cast<double>(child.size()) >= 1.0) continue;
    const double u = draws_.Uniform(), power = 1.0 / (kMutationIndex + 1.0);
    const double shift =
        u < 0.5 ? std::pow(2.0 * u, power) - 1.0 : 1.0 - std::pow(2.0 - 2.0 * u, power);
    child[d] += shift * (config_.high[d] - config_.low[d]);
  }
}

absl::Status Moead::Evolve(const EvaluateBatch& evaluate) {
  Points children;
  std::vector<bool> from_neighbours;
  for (size_t i = 0; i < points_.size(); ++i) {
    from_neighbours.push_back(draws_.Uniform() < kFromNeighbours);
    children.push_back(Child(i, from_neighbours[i]));
  }
  LIVND_ASSIGN_OR_RETURN(const Points values, evaluate(children));
  for (size_t i = 0; i < children.size(); ++i) {
    std::vector<size_t> whom = neighbours_[i];
    if (!from_neighbours[i]) {
      whom.resize(points_.size());
      std::iota(whom.begin(), whom.end(), size_t{0});
    }
    for (size_t n = whom.size(); n > 1; --n) std::swap(whom[n - 1], whom[draws_.Below(n)]);
    if (!IsPenalised(values[i])) {
      for (size_t k = 0; k < ideal_.size(); ++k) ideal_[k] = std::min(ideal_[k], values[i][k]);
    }
    size_t num_replaced = 0;
    for (const size_t j : whom) {
      if (num_replaced == kMostReplaced) break;
      if (Worth(j, values[i]) > Worth(j, values_[j])) continue;
      points_[j] = children[i];
      values_[j] = values[i];
      ++num_replaced;
    }
  }
  MeasureRanges();
  return absl::OkStatus();
}

}  // namespace livnd::lab
