#include "io/decoding/unit/firing_rates.h"

#include <algorithm>
#include <cmath>

namespace livnd::io {

FiringRates::FiringRates(DecodingKey key, const Config&, const DecodingWindow& window)
    : Decoding(key, window) {
  layout().AddAny(num_units());
  AddOutput("rate_hz", "Hz", {num_units()}, "of each unit");
  AddOutput("group_rate_hz", "Hz", {num_groups()}, "by unit of each group");
  AddOutput("mean_rate_hz", "Hz", {}, "by unit, silent ones included");
  AddOutput("num_fired", "1", {}, "units that have fired");
  AddOutput("fired_mean_hz", "Hz", {}, "by unit that has fired; 0 if none has");
  AddOutput("fired_max_hz", "Hz", {}, "of the fastest unit");
  AddOutput("fired_min_hz", "Hz", {}, "of the slowest unit that has fired");
  AddOutput("fired_cv", "1", {}, "deviation of the fired units' rates by their mean");
}

void FiringRates::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  state[static_cast<size_t>(spike.unit)] += 1.0;
}

absl::Status FiringRates::Read(absl::Span<double> state, absl::Span<double> values) const {
  const double duration_s = window().duration_s();
  auto out = values.begin();
  for (const double count : state) *out++ = count / duration_s;
  for (const UnitGroup& group : window().groups) {
    double sum = 0.0;
    for (int64_t u = group.first; u < group.first + group.count; ++u) {
      sum += state[static_cast<size_t>(u)];
    }
    *out++ = sum / static_cast<double>(group.count) / duration_s;
  }
  double sum = 0.0, num_fired = 0.0, max = 0.0, min = 0.0;
  for (const double count : state) {
    if (count == 0.0) continue;
    min = num_fired == 0.0 ? count : std::min(min, count);
    max = std::max(max, count);
    num_fired += 1.0;
    sum += count;
  }
  const double mean = num_fired == 0.0 ? 0.0 : sum / num_fired;
  double squares = 0.0;
  for (const double count : state) squares += count == 0.0 ? 0.0 : (count - mean) * (count - mean);
  *out++ = sum / static_cast<double>(num_units()) / duration_s;
  *out++ = num_fired;
  *out++ = mean / duration_s;
  *out++ = max / duration_s;
  *out++ = min / duration_s;
  *out++ = num_fired == 0.0 ? 0.0 : std::sqrt(squares / num_fired) / mean;
  return absl::OkStatus();
}

}  // namespace livnd::io
