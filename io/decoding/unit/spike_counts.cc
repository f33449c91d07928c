#include "io/decoding/unit/spike_counts.h"

#include <algorithm>

namespace livnd::io {

SpikeCounts::SpikeCounts(DecodingKey key, const Config&, const DecodingWindow& window)
    : Decoding(key, window) {
  layout().AddAny(num_units());
  AddOutput("counts", "1", {num_units()}, "spikes of each unit");
}

void SpikeCounts::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  state[static_cast<size_t>(spike.unit)] += 1.0;
}

absl::Status SpikeCounts::Read(absl::Span<double> state, absl::Span<double> values) const {
  std::copy(state.begin(), state.end(), values.begin());
  return absl::OkStatus();
}

}  // namespace livnd::io
