#include "io/decoding/kept_spikes.h"

#include "absl/strings/str_cat.h"

namespace livnd::io {

KeptSpikes::KeptSpikes(StateLayout& layout, const DecodingWindow& window, int64_t max_spikes)
    : max_(static_cast<size_t>(max_spikes)) {
  num_ = layout.AddWhole(1, 0.0, static_cast<double>(max_spikes));
  num_lost_ = layout.AddAny(1);
  units_ = layout.AddWhole(max_, 0.0, static_cast<double>(window.num_units - 1));
  ticks_ = layout.AddAny(max_);
}

void KeptSpikes::Add(const UnitSpike& spike, absl::Span<double> state) const {
  const size_t i = size(state);
  if (i >= max_) {
    state[num_lost_] += 1.0;
    return;
  }
  state[units_ + i] = static_cast<double>(spike.unit);
  state[ticks_ + i] = static_cast<double>(spike.tick);
  state[num_] += 1.0;
}

absl::Status KeptSpikes::Check(absl::Span<const double> state) const {
  if (state[num_lost_] == 0.0) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("the window had ", state[num_lost_], " spikes more than max_spikes, ", max_));
}

size_t KeptSpikes::TicksOf(int64_t unit, absl::Span<const double> state,
                           absl::Span<double> ticks) const {
  size_t num = 0;
  for (size_t i = 0; i < size(state); ++i) {
    if (this->unit(state, i) == unit) ticks[num++] = tick(state, i);
  }
  return num;
}

}  // namespace livnd::io
