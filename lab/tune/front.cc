#include "lab/tune/front.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>

namespace livnd::lab {
namespace {

using io::Json;

// At least as good in all objectives: `b` has no place beside an earlier `a` then.
bool Covers(const Scores& a, const Scores& b) {
  for (size_t i = 0; i < a.objectives.size(); ++i) {
    if (!(a.objectives[i] <= b.objectives[i])) return false;
  }
  return true;
}

std::vector<size_t> Undominated(absl::Span<const Evaluation> evaluations) {
  double least = std::numeric_limits<double>::infinity();
  for (const Evaluation& e : evaluations) least = std::min(least, e.scores.violation());
  std::vector<size_t> front;
  for (size_t i = 0; i < evaluations.size(); ++i) {
    const Scores& scores = evaluations[i].scores;
    if (scores.violation() > least) continue;
    const bool is_covered = std::any_of(front.begin(), front.end(), [&](size_t other) {
      return Covers(evaluations[other].scores, scores);
    });
    if (is_covered) continue;
    front.erase(
        std::remove_if(front.begin(), front.end(),
                       [&](size_t other) { return Covers(scores, evaluations[other].scores); }),
        front.end());
    front.push_back(i);
  }
  return front;
}

Json OrNull(double value) { return std::isnan(value) ? Json(nullptr) : Json(value); }

}  // namespace

int NumInBands(const Target& target, const Evaluation& evaluation) {
  int num = 0;
  for (const auto& [feature, band] : target.feature_bands) {
    const double x = evaluation.scores.features[feature];
    num += x >= band[0] && x <= band[1] ? 1 : 0;
  }
  return num;
}

std::vector<size_t> RankedFront(const Target& target, absl::Span<const Evaluation> evaluations) {
  std::vector<size_t> front = Undominated(evaluations);
  const size_t n = target.objectives.size();
  std::vector<double> low(n, std::numeric_limits<double>::infinity()), high(n, -low[0]);
  for (const size_t i : front) {
    for (size_t k = 0; k < n; ++k) {
      low[k] = std::min(low[k], evaluations[i].scores.objectives[k]);
      high[k] = std::max(high[k], evaluations[i].scores.objectives[k]);
    }
  }
  const auto rank = [&](size_t i) {
    const Scores& scores = evaluations[i].scores;
    double worst = 0.0;
    for (size_t k = 0; k < n; ++k) {
      const double span = high[k] > low[k] ? high[k] - low[k] : 1.0;
      worst = std::max(worst, (scores.objectives[k] - low[k]) / span);
    }
    const auto missed = std::count_if(scores.constraints.begin(), scores.constraints.end(),
                                      [](double c) { return !(c > 0.0); });
    return std::make_tuple(-NumInBands(target, evaluations[i]), missed, worst, i);
  };
  std::sort(front.begin(), front.end(), [&](size_t a, size_t b) { return rank(a) < rank(b); });
  return front;
}

Json FrontJson(const Target& target, const SearchSpace& space, const FrontSource& source,
               absl::Span<const Evaluation> evaluations) {
  Json solutions = Json::array();
  for (const size_t i : RankedFront(target, evaluations)) {
    const Scores& scores = evaluations[i].scores;
    Json objectives = Json::object(), features = Json::object(), constraints = Json::object();
    Json params = Json::object();
    for (size_t k = 0; k < target.objectives.size(); ++k) {
      objectives[target.objectives[k].name] = scores.objectives[k];
    }
    for (size_t k = 0; k < target.num_features(); ++k) {
      features[kFeatures[k].name] = OrNull(scores.features[k]);
    }
    for (size_t k = 0; k < target.constraints.size(); ++k) {
      constraints[target.constraints[k].name] = scores.constraints[k];
    }
    for (const io::Param& param : space.Params(evaluations[i].coordinates)) {
      params[param.key] = param.values[0];
    }
    solutions.push_back({{"loc", solutions.size()},
                         {"evaluation", i},
                         {"objectives", std::move(objectives)},
                         {"features", std::move(features)},
                         {"constraints", std::move(constraints)},
                         {"feasible", scores.feasible()},
                         {"params", std::move(params)}});
  }
  Json bands = Json::object();
  for (const auto& [feature, band] : target.feature_bands) {
    bands[kFeatures[feature].name] = band;
  }
  return {{"evaluations", evaluations.size()},
          {"table_rows", evaluations.size()},
          {"epoch_entries", source.generations},
          {"truncated", false},
          {"executions", 1},
          {"system", source.system},
          {"selection", source.selection},
          {"model", source.model},
          {"params_key", source.params_key},
          {"target", target.document},
          {"source", source.source},
          {"feature_bands", std::move(bands)},
          {"solutions", std::move(solutions)}};
}

}  // namespace livnd::lab
