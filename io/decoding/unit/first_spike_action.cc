#include "io/decoding/unit/first_spike_action.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"

namespace livnd::io {

void FirstSpikeActionConfig::Describe(CodingFields& fields) {
  fields.Number("low", &low, -1e12, 1e12);
  fields.Number("high", &high, -1e12, 1e12);
  fields.Number("none", &none, -1e12, 1e12);
  fields.Lists("channels", &channels, 4096, 0.0, 1048575.0);
}

FirstSpikeAction::FirstSpikeAction(DecodingKey key, const Config& config,
                                   const DecodingWindow& window)
    : Decoding(key, window), config_(config) {
  for (size_t c = 0; c < config.channels.size(); ++c) {
    for (size_t i = 0; i < config.channels[c].size(); ++i) {
      const double unit = config.channels[c][i];
      if (unit == std::floor(unit) && unit < static_cast<double>(num_units())) continue;
      Refuse(MakeFieldError(absl::StrCat("channels[", c, "][", i, "]"), Exact(unit),
                            absl::StrCat("a unit, 0 .. ", num_units() - 1)));
    }
  }
  counts_ = layout().AddAny(num_units());
  firsts_ = layout().AddAny(num_units());  // tick + 1 of the first spike; 0: none
  AddOutput("action", "1", {}, "low at the start of the window .. high at its end");
}

void FirstSpikeAction::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  const auto unit = static_cast<size_t>(spike.unit);
  state[counts_ + unit] += 1.0;
  double& first = state[firsts_ + unit];
  if (first == 0.0) first = static_cast<double>(spike.tick + 1);
}

absl::Status FirstSpikeAction::Read(absl::Span<double> state, absl::Span<double> values) const {
  double best = 0.0, best_first = 0.0;
  const auto look_at = [&](double score, double first) {
    if (score <= best) return;
    best = score;
    best_first = first;
  };
  if (config_.channels.empty()) {
    for (size_t u = 0; u < static_cast<size_t>(num_units()); ++u) {
      look_at(state[counts_ + u], state[firsts_ + u]);
    }
  }
  for (const std::vector<double>& units : config_.channels) {
    double sum = 0.0, num_fired = 0.0, first = 0.0;
    for (const double unit : units) {
      const auto u = static_cast<size_t>(unit);
      if (state[counts_ + u] == 0.0) continue;
      first = num_fired == 0.0 ? state[firsts_ + u] : std::min(first, state[firsts_ + u]);
      sum += state[counts_ + u];
      num_fired += 1.0;
    }
    if (num_fired > 0.0) look_at(sum / num_fired, first);
  }
  values[0] = config_.none;
  if (best > 0.0) {
    const double part = (best_first - 1.0) / static_cast<double>(window().num_ticks);
    values[0] = config_.low + (config_.high - config_.low) * part;
  }
  return absl::OkStatus();
}

}  // namespace livnd::io
