#include "io/decoding/network/synchrony.h"

#include <algorithm>

namespace livnd::io {

Synchrony::Synchrony(DecodingKey key, const Config& config, const DecodingWindow& window)
    : Decoding(key, window), bins_(BinsOf("bin_ms", config.bin_ms)) {
  has_fired_ = layout().AddAny(num_units());
  bin_ = layout().AddAny(3);
  AddOutput("peak", "1", {}, "spikes in the fullest bin by unit that has fired");
  AddOutput("max_count", "1", {}, "spikes in the fullest bin");
  AddOutput("num_fired", "1", {}, "units that have fired");
}

void Synchrony::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  state[has_fired_ + static_cast<size_t>(spike.unit)] = 1.0;
  const auto row = state.subspan(bin_, 3);
  const auto bin = static_cast<double>(bins_.IndexOf(spike.tick) + 1);
  row[1] = row[0] == bin ? row[1] + 1.0 : 1.0;
  row[0] = bin;
  row[2] = std::max(row[2], row[1]);
}

absl::Status Synchrony::Read(absl::Span<double> state, absl::Span<double> values) const {
  double num_fired = 0.0;
  for (int64_t u = 0; u < num_units(); ++u) num_fired += state[has_fired_ + static_cast<size_t>(u)];
  const double max_count = state[bin_ + 2];
  values[0] = num_fired == 0.0 ? 0.0 : max_count / num_fired;
  values[1] = max_count;
  values[2] = num_fired;
  return absl::OkStatus();
}

}  // namespace livnd::io
