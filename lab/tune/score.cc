#include "lab/tune/score.h"

#include <algorithm>
#include <cmath>

namespace livnd::lab {
namespace {

constexpr double kUndefinedBound = -10.0;
constexpr double kUndefinedBand = -2.0;

double BandValue(double x, double low, double high) {
  if (std::isnan(x)) return kUndefinedBand;
  if (x < low) return -2.0 * (low - x) / std::max(std::fabs(low), 1e-6);
  if (x > high) return -2.0 * (x - high) / std::max(std::fabs(high), 1e-6);
  const double centre = 0.5 * (low + high), half = 0.5 * (high - low);
  return 1.0 - std::fabs(x - centre) / std::max(half, 1e-6) * 0.1;
}

struct Judged {
  double value;
  bool is_held;  // for `all`: as the deciding feature says
};

// Of a bound from above; one from below is its mirror image.
Judged JudgeBound(double x, double decides, double bound, double scale) {
  if (std::isnan(x) || std::isnan(decides)) return {kUndefinedBound, false};
  if (decides <= bound) return {1.0 + (bound - x) / scale, true};
  return {-1.0 - (x - bound) / scale, false};
}

}  // namespace

double CostOf(const Objective& objective, const Features& features) {
  const double x = features[objective.feature], t = objective.target;
  if (!std::isfinite(x)) return kUndefinedCost;
  switch (objective.cost) {
    case Cost::kSquare:
      return (x - t) * (x - t);
    case Cost::kLogSquare: {
      const double log = std::log((std::max(x, 0.0) + 1e-3) / (t + 1e-3));
      return log * log;
    }
    case Cost::kAbsolute:
      return std::fabs(x - t);
    case Cost::kValue:
      return x;
  }
  return kUndefinedCost;
}

std::vector<double> ConstraintValues(const std::vector<Constraint>& constraints,
                                     const Features& features, int64_t num_units) {
  std::vector<double> values;
  std::vector<bool> held;
  const auto add = [&](Judged judged) {
    values.push_back(judged.value);
    held.push_back(judged.is_held);
  };
  for (const Constraint& c : constraints) {
    const double x = features[c.feature], decides = features[c.decided_by];
    const double units = c.per_unit ? static_cast<double>(num_units) : 1.0;
    switch (c.kind) {
      case Constraint::Kind::kMax:
        add(JudgeBound(x, decides, c.high * units, c.scale));
        break;
      case Constraint::Kind::kMin:
        add(JudgeBound(-x, -decides, -c.low * units, c.scale));
        break;
      case Constraint::Kind::kBand: {
        const double value = BandValue(x, c.low, c.high);
        add({value, value > 0.0});
        break;
      }
      case Constraint::Kind::kAll: {
        const bool all = std::all_of(c.all_of.begin(), c.all_of.end(),
                                     [&](size_t other) { return held[other]; });
        add({all ? 1.0 : -1.0, all});
        break;
      }
    }
  }
  return values;
}

bool HoldAtRest(const std::vector<Constraint>& constraints, const Features& features,
                int64_t num_units) {
  const std::vector<double> values = ConstraintValues(constraints, features, num_units);
  std::vector<bool> of_stimulus;
  for (size_t i = 0; i < constraints.size(); ++i) {
    const Constraint& c = constraints[i];
    const bool asks = c.kind == Constraint::Kind::kAll
                          ? std::any_of(c.all_of.begin(), c.all_of.end(),
                                        [&](size_t other) { return of_stimulus[other]; })
                          : std::max(c.feature, c.decided_by) >= kFirstStimulusFeature;
    of_stimulus.push_back(asks);
    if (!asks && !(values[i] > 0.0)) return false;
  }
  return true;
}

bool Scores::feasible() const {
  return std::all_of(constraints.begin(), constraints.end(), [](double c) { return c > 0.0; });
}

double Scores::violation() const {
  double sum = 0.0;
  for (const double c : constraints) {
    // One that is missed by nothing must not pass for feasible.
    if (!(c > 0.0)) sum += std::max(std::log1p(-c), 1e-9);
  }
  return sum;
}

Scores ScoreTrials(const Target& target, absl::Span<const Features> trials, int64_t num_units) {
  Scores out;
  const auto n = static_cast<double>(trials.size());
  out.features.fill(0.0);
  for (const Objective& objective : target.objectives) {
    double sum = 0.0;
    for (const Features& features : trials) sum += CostOf(objective, features);
    out.objectives.push_back(sum / n);
  }
  for (const Features& features : trials) {
    for (size_t i = 0; i < features.size(); ++i) out.features[i] += features[i];
    const std::vector<double> values = ConstraintValues(target.constraints, features, num_units);
    if (out.constraints.empty()) {
      out.constraints = values;
    } else {
      for (size_t i = 0; i < values.size(); ++i) {
        out.constraints[i] = std::min(out.constraints[i], values[i]);
      }
    }
  }
  for (double& value : out.features) value /= n;
  return out;
}

}  // namespace livnd::lab
