#include "io/decoding/unit/first_spike.h"

namespace livnd::io {

FirstSpike::FirstSpike(DecodingKey key, const Config& config, const DecodingWindow& window)
    : Decoding(key, window),
      none_ms_(config.none_ms == -1.0 ? window.duration_ms() : config.none_ms) {
  layout().AddAny(num_units());  // tick + 1 of the first spike; 0: none
  AddOutput("latency_ms", "ms", {num_units()}, "from the window's start to the first spike");
}

void FirstSpike::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  double& first = state[static_cast<size_t>(spike.unit)];
  if (first == 0.0) first = static_cast<double>(spike.tick + 1);
}

absl::Status FirstSpike::Read(absl::Span<double> state, absl::Span<double> values) const {
  for (size_t u = 0; u < state.size(); ++u) {
    values[u] = state[u] == 0.0 ? none_ms_ : (state[u] - 1.0) * window().tick_ms;
  }
  return absl::OkStatus();
}

}  // namespace livnd::io
