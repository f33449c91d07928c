#include "sim/stimulus/stimulus.h"

#include <algorithm>

namespace livnd::sim {

void StimulusTimeline::ForgetBefore(int64_t sample) {
  waveforms_.erase(
      std::remove_if(waveforms_.begin(), waveforms_.end(),
                     [&](const Waveform& w) { return w.first_sample + w.num_samples() <= sample; }),
      waveforms_.end());
}

}  // namespace livnd::sim
