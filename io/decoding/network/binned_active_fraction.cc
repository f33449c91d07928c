#include "io/decoding/network/binned_active_fraction.h"

#include <algorithm>
#include <cmath>

namespace livnd::io {

BinnedActiveFraction::BinnedActiveFraction(DecodingKey key, const Config& config,
                                           const DecodingWindow& window)
    : Decoding(key, window),
      bins_(BinsOf("bin_ms",
                   window.duration_ms() /
                       std::max(1.0, std::nearbyint(window.duration_ms() / config.bin_ms)))) {
  last_bins_ = layout().AddAny(num_units());  // bin + 1 in which a unit has fired last
  counts_ = layout().AddAny(num_groups() * bins_.num);
  AddOutput("mean", "1", {num_groups()}, "part of a group that fires in a bin");
  AddOutput("std", "1", {num_groups()}, "its deviation over bins");
}

void BinnedActiveFraction::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  const size_t bin = bins_.IndexOf(spike.tick);
  double& last = state[last_bins_ + static_cast<size_t>(spike.unit)];
  if (last == static_cast<double>(bin + 1)) return;
  last = static_cast<double>(bin + 1);
  const int64_t group = window().GroupOf(spike.unit);
  if (group >= 0) state[counts_ + static_cast<size_t>(group * bins_.num) + bin] += 1.0;
}

absl::Status BinnedActiveFraction::Read(absl::Span<double> state, absl::Span<double> values) const {
  const auto num = static_cast<size_t>(num_groups());
  for (size_t g = 0; g < num; ++g) {
    const auto counts =
        state.subspan(counts_ + g * static_cast<size_t>(bins_.num), static_cast<size_t>(bins_.num));
    const auto size = static_cast<double>(window().groups[g].count);
    values[g] = Mean(counts) / size;
    values[num + g] = StandardDeviation(counts) / size;
  }
  return absl::OkStatus();
}

}  // namespace livnd::io
