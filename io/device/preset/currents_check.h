// Whether currents that are made step by step, as encodings make them, keep to the limits of a device.
#ifndef LIVND_IO_DEVICE_PRESET_CURRENTS_CHECK_H_
#define LIVND_IO_DEVICE_PRESET_CURRENTS_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "io/device/preset/stimulation_limits.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::io {

// The currents of one run on one copy. A phase is a row of samples of one sign; it and the next one, where that follows
// at once with the other sign, are a pulse. Not thread-safe.
class CurrentsCheck {
 public:
  // Channels are numbered as `electrode_ids`. The limits must outlive the check.
  CurrentsCheck(const StimulationLimits& limits, absl::Span<const int32_t> electrode_ids,
                double dt_ms);

  // The currents of a waveform of ticks, which begins after the last one's end; times count from `origin`, where the
  // run began. A field error about "" says what is asked of which electrode, when, and what the device takes.
  absl::Status Check(const sim::Waveform& currents_ua, int64_t origin);

 private:
  struct Electrode {
    int64_t last_onset = -1;
    double charge_nc = 0.0;
  };
  struct Phase {
    int64_t begin = 0, end = 0;  // ticks
    double largest_ua = 0.0;
    double charge_nc = 0.0;
  };

  absl::Status CheckChannel(const sim::Waveform& currents_ua, int64_t sample_ticks, int64_t start,
                            size_t column, size_t channel);
  absl::Status CheckPhase(const Phase& phase, size_t channel);
  absl::Status CheckActive(const sim::Waveform& currents_ua, int64_t sample_ticks,
                           int64_t start) const;
  // "on electrode 3, 200 us after the run's start".
  std::string Where(size_t channel, int64_t tick) const;

  const StimulationLimits& limits_;
  const std::vector<int32_t> ids_;
  const double dt_ms_;
  std::vector<bool> record_only_;  // [channel]
  std::vector<Electrode> electrodes_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DEVICE_PRESET_CURRENTS_CHECK_H_
