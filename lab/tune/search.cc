#include "lab/tune/search.h"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "lab/tune/draws.h"
#include "lab/tune/moead.h"
#include "pagmo/algorithms/nsga2.hpp"
#include "pagmo/bfe.hpp"
#include "pagmo/population.hpp"
#include "pagmo/problem.hpp"
#include "pagmo/types.hpp"

namespace livnd::lab {
namespace {

using Points = std::vector<std::vector<double>>;

// Above all costs, so that what is infeasible is dominated.
constexpr double kInfeasible = 1e9;

// Each coordinate's range in as many strata as there are points, a point in each; points i and n - 1 - i lie
// opposite each other. Ye, Li, Sudjianto, J. Stat. Plan. Inference 90 (2000). n is even.
Points SymmetricLatinHypercube(const SearchConfig& config) {
  Draws draws(config.seed);
  const auto n = static_cast<size_t>(config.population);
  Points points(n, std::vector<double>(config.low.size()));
  for (size_t d = 0; d < config.low.size(); ++d) {
    // Which stratum of the lower half a pair of points has, and which of the two has it.
    std::vector<size_t> strata(n / 2);
    std::iota(strata.begin(), strata.end(), size_t{0});
    for (size_t i = strata.size(); i > 1; --i) std::swap(strata[i - 1], strata[draws.Below(i)]);
    for (size_t i = 0; i < n / 2; ++i) {
      const double place =
          (static_cast<double>(strata[i]) + draws.Uniform()) / static_cast<double>(n);
      const bool first_is_low = draws.Uniform() < 0.5;
      const double width = config.high[d] - config.low[d];
      const auto at = [&](double p) {
        return std::min(config.low[d] + width * p, config.high[d]);  // rounding may exceed it
      };
      points[i][d] = at(first_is_low ? place : 1.0 - place);
      points[n - 1 - i][d] = at(first_is_low ? 1.0 - place : place);
    }
  }
  return points;
}

// What pagmo is told of the problem. All points are evaluated in batches; fitness is never asked for.
struct Problem {
  std::pair<pagmo::vector_double, pagmo::vector_double> bounds;
  size_t num_objectives = 2;

  pagmo::vector_double fitness(const pagmo::vector_double&) const {
    throw std::logic_error("points are evaluated in batches");
  }
  std::pair<pagmo::vector_double, pagmo::vector_double> get_bounds() const { return bounds; }
  pagmo::vector_double::size_type get_nobj() const { return num_objectives; }
};

// An error on its way through pagmo, which knows exceptions only.
struct Failed : std::exception {
  explicit Failed(absl::Status error) : status(std::move(error)) {}
  absl::Status status;
};

// Splits a batch as pagmo has it, and puts the answer together.
struct Batch {
  const EvaluateBatch* evaluate = nullptr;

  pagmo::vector_double operator()(const pagmo::problem& problem,
                                  const pagmo::vector_double& coordinates) const {
    const auto nx = static_cast<std::ptrdiff_t>(problem.get_nx());
    Points points;
    for (auto x = coordinates.begin(); x != coordinates.end(); x += nx)
      points.emplace_back(x, x + nx);
    absl::StatusOr<Points> values = (*evaluate)(points);
    if (!values.ok()) throw Failed(values.status());
    pagmo::vector_double out;
    for (const auto& value : *values) out.insert(out.end(), value.begin(), value.end());
    return out;
  }
};

// Deb's numbers for real coordinates; one coordinate of a child mutates on average.
pagmo::nsga2 MakeNsga2(const SearchConfig& config) {
  constexpr double kCrossover = 0.9, kCrossoverIndex = 10.0, kMutationIndex = 20.0;
  const double mutation = 1.0 / static_cast<double>(config.low.size());
  return pagmo::nsga2(1u, kCrossover, kCrossoverIndex, mutation, kMutationIndex, config.seed);
}

absl::Status SearchByNsga2(const SearchConfig& config, const Points& first, const Points& values,
                           const EvaluateBatch& evaluate) {
  pagmo::problem problem{
      Problem{{config.low, config.high}, static_cast<size_t>(config.num_objectives)}};
  pagmo::population population(problem, 0u, config.seed);
  for (size_t i = 0; i < first.size(); ++i) population.push_back(first[i], values[i]);
  pagmo::nsga2 nsga2 = MakeNsga2(config);
  nsga2.set_bfe(pagmo::bfe(Batch{&evaluate}));
  for (int64_t done = config.population; done < config.evaluations; done += config.population) {
    population = nsga2.evolve(population);
  }
  return absl::OkStatus();
}

absl::Status SearchByMoead(const SearchConfig& config, const Points& first, const Points& values,
                           const EvaluateBatch& evaluate) {
  Moead moead(config, first, values);
  for (int64_t done = config.population; done < config.evaluations; done += config.population) {
    LIVND_RETURN_IF_ERROR(moead.Evolve(evaluate));
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<double> Penalised(const std::vector<double>& objectives, double violation) {
  if (violation <= 0.0) return objectives;
  return std::vector<double>(objectives.size(), kInfeasible + violation);
}

bool IsPenalised(const std::vector<double>& values) { return values[0] >= kInfeasible; }

absl::Status Search(const SearchConfig& config, const EvaluateBatch& evaluate) {
  const Points first = SymmetricLatinHypercube(config);
  LIVND_ASSIGN_OR_RETURN(const Points values, evaluate(first));
  try {
    return config.algorithm == SearchConfig::Algorithm::kMoead
               ? SearchByMoead(config, first, values, evaluate)
               : SearchByNsga2(config, first, values, evaluate);
  } catch (const Failed& failed) {
    return failed.status;
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("pagmo: ", error.what()));
  }
}

}  // namespace livnd::lab
