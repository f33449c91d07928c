// The stimuli of a live culture on one time axis, as livn keeps them between runs.
#ifndef LIVND_ENV_CULTURE_STIMULUS_PLAN_H_
#define LIVND_ENV_CULTURE_STIMULUS_PLAN_H_

#include <map>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "env/copies.h"
#include "env/culture/culture_types.h"
#include "io/device/electrode_array.h"
#include "sim/culture/culture.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::env {

// The electrodes of a culture: the array, and how its currents reach the sections of its cells.
struct Electrodes {
  io::ElectrodeArray array;
  std::shared_ptr<const sim::StimulusMap> map;
};

// For every mode of the engine: the sites that stimuli have named so far, and what is still to
// come. A later stimulus replaces an earlier one where both name a site and a sample; all stimuli
// of a mode share one sample interval. A value: copy it, change the copy, take it or drop it.
//
// Not thread-safe.
class StimulusPlan {
 public:
  explicit StimulusPlan(int num_copies) : num_copies_(num_copies) {}

  // Puts a stimulus on the axis from now_ms on. A MakeFieldError below `field` names what is wrong;
  // nothing has changed then. `electrodes` is null where the culture has none.
  absl::Status Add(absl::string_view field, const CultureStimulus& stimulus,
                   const sim::Culture& culture, const Electrodes* electrodes, double now_ms);

  // Drops the samples before now_ms.
  void ForgetBefore(double now_ms);

  // Gives the copies all modes and waveforms.
  void InstallInto(Copies& copies, const Electrodes* electrodes) const;

  // Electrode currents are still on the axis.
  bool uses_electrodes() const;

 private:
  struct ModePlan {
    bool electrodes = false;    // channels are electrodes in declared order
    double sample_dt_ms = 0.0;  // 0: no stimulus yet
    std::map<Site, int> channel_of;
    std::vector<Site> channels;
    int num_channels = 0;
    std::vector<sim::Waveform> pending;  // [copy]
  };

  absl::Status Check(absl::string_view field, const CultureStimulus& stimulus,
                     const sim::Culture& culture, const Electrodes* electrodes) const;

  int num_copies_;
  ModePlan modes_[sim::kNumStimulusModes];
};

}  // namespace livnd::env

#endif  // LIVND_ENV_CULTURE_STIMULUS_PLAN_H_
