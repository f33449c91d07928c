#include "io/decoding/network/stability.h"

#include <algorithm>

namespace livnd::io {

Stability::Stability(DecodingKey key, const Config& config, const DecodingWindow& window)
    : Decoding(key, window), config_(config), bins_(BinsOf("bin_ms", config.bin_ms)) {
  const double before_tail = (window.duration_ms() - config.tail_ms) / config.bin_ms;
  first_tail_bin_ =
      std::clamp(static_cast<int64_t>(WholeBelow(before_tail)), int64_t{0}, bins_.num - 1);
  layout().AddAny(2);
  AddOutput("tail_mean_hz", "Hz", {}, "of all units together, at the end of the window");
  AddOutput("global_mean_hz", "Hz", {}, "of all units together");
  AddOutput("is_runaway", "1", {}, "1: the tail's rate is above the limit");
  AddOutput("is_quiescent", "1", {}, "1: the global rate is below the limit");
  AddOutput("is_stable", "1", {}, "1: neither");
}

void Stability::AddSpike(const UnitSpike& spike, absl::Span<double> state) const {
  state[0] += 1.0;
  if (static_cast<int64_t>(bins_.IndexOf(spike.tick)) >= first_tail_bin_) state[1] += 1.0;
}

absl::Status Stability::Read(absl::Span<double> state, absl::Span<double> values) const {
  const double bin_s = bins_.width_ms * 1e-3;
  values[0] = state[1] / static_cast<double>(bins_.num - first_tail_bin_) / bin_s;
  values[1] = state[0] / static_cast<double>(bins_.num) / bin_s;
  values[2] = values[0] > config_.max_rate_hz ? 1.0 : 0.0;
  values[3] = values[1] < config_.min_rate_hz ? 1.0 : 0.0;
  values[4] = values[2] == 0.0 && values[3] == 0.0 ? 1.0 : 0.0;
  return absl::OkStatus();
}

}  // namespace livnd::io
