#include "sim/stimulus/stimulus.h"

#include <algorithm>
#include <utility>

namespace livnd::sim {

const char* StimulusModeName(StimulusMode mode) {
  switch (mode) {
    case StimulusMode::kField:
      return "extracellular";
    case StimulusMode::kCurrent:
      return "current";
    case StimulusMode::kCurrentDensity:
      return "current_density";
    case StimulusMode::kLight:
      return "irradiance";
  }
  return "unknown";
}

void StimulusTimeline::Install(Waveform waveform, int64_t now) {
  ForgetBefore(now);
  sample_dt_ms_ = waveform.sample_dt_ms;
  waveforms_.push_back(std::move(waveform));
}

void StimulusTimeline::Clear() {
  waveforms_.clear();
  sample_dt_ms_ = 0.0;
}

void StimulusTimeline::ForgetBefore(int64_t sample) {
  waveforms_.erase(
      std::remove_if(waveforms_.begin(), waveforms_.end(),
                     [&](const Waveform& w) { return w.first_sample + w.num_samples() <= sample; }),
      waveforms_.end());
}

}  // namespace livnd::sim
