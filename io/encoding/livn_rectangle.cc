#include "io/encoding/livn_rectangle.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"

namespace livnd::io {

absl::Status LivnRectangle::Check(const EncodingWindow& window, double width_ms) {
  if (sim::TicksOfSample(1.0, window.tick_ms) == 0) {
    return MakeFieldError("window.tick_ms", Exact(window.tick_ms), "a part of 1 ms");
  }
  if (width_ms * static_cast<double>(window.num_electrodes) >
      static_cast<double>(Encoding::kMaxSamples)) {
    return MakeFieldError("width_ms", Exact(width_ms),
                          absl::StrCat(Encoding::kMaxSamples / window.num_electrodes,
                                       " at most with ", window.num_electrodes, " electrodes"));
  }
  return absl::OkStatus();
}

LivnRectangle::LivnRectangle(const EncodingWindow& window, double width_ms, double onset_ms,
                             int64_t tick, sim::Waveform* waveform)
    : num_electrodes_(window.num_electrodes), waveform_(waveform) {
  const int64_t ticks_a_ms = sim::TicksOfSample(1.0, window.tick_ms);
  const int64_t end = window.num_ticks / ticks_a_ms;
  const auto onset = std::clamp<int64_t>(static_cast<int64_t>(onset_ms), 0, end);
  num_samples_ = std::max<int64_t>(0, std::min<int64_t>(std::llround(width_ms), end - onset));
  waveform->timing = sim::SampleTiming::kExactTicks;
  waveform->sample_dt_ms = 1.0;
  waveform->first_tick = tick + onset * ticks_a_ms;
  waveform->num_channels = static_cast<int>(num_electrodes_);
  waveform->channels.clear();
  waveform->samples.assign(static_cast<size_t>(num_samples_ * num_electrodes_), 0.0);
}

void LivnRectangle::Put(int64_t electrode, double current_ua) {
  for (int64_t i = 0; i < num_samples_; ++i) {
    waveform_->samples[static_cast<size_t>(i * num_electrodes_ + electrode)] = current_ua;
  }
}

}  // namespace livnd::io
