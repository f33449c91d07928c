// From numbers of an agent to pulses on electrodes.
#ifndef LIVND_IO_ENCODING_BIPHASIC_PULSE_H_
#define LIVND_IO_ENCODING_BIPHASIC_PULSE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "io/stimulus/pulse.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::io {

struct BiphasicPulseConfig {
  // Of each of the two phases, which follow each other without a gap; a multiple of the tick.
  double phase_us = 200.0;
  double max_amplitude_ua = 10.0;

  // MakeFieldError: a number is out of its range, or a phase not a whole number of ticks.
  absl::Status Validate(double dt_ms) const;
  // What pulses deliver whose amplitudes sum up to `sum` times the largest, both phases counted, nC.
  double ChargeNc(double sum) const {
    return sum * max_amplitude_ua * 2.0 * phase_us * 1e-3;  // uA us = pC
  }
};

// One pulse of two equal phases (io/stimulus/pulse.h) on each electrode: first the current -a, for exactly as many
// ticks +a, then none. Phases are counted in ticks, so a pulse delivers no net charge, and does the
// same, whatever the tick at which it begins.
//
// Immutable and thread-safe.
class BiphasicPulse {
 public:
  // Errors: Validate's. dt_ms is the culture's tick; num_electrodes the number of channels.
  static absl::StatusOr<BiphasicPulse> Create(const BiphasicPulseConfig& config, int num_electrodes,
                                              double dt_ms);

  int num_electrodes() const { return num_electrodes_; }
  int64_t phase_ticks() const { return phases_.first_ticks; }

  // The pulses that begin at `tick`. Amplitudes are fractions of the largest, [num_electrodes] in
  // -1 .. 1; positive is cathodic first. Keeps the waveform's memory.
  void Encode(absl::Span<const float> amplitudes, int64_t tick, sim::Waveform* waveform) const;

  // What such pulses deliver, both phases counted, nC.
  double ChargeNc(absl::Span<const float> amplitudes) const;

 private:
  BiphasicPulse(const BiphasicPulseConfig& config, int num_electrodes, double dt_ms);

  BiphasicPulseConfig config_;
  int num_electrodes_;
  double dt_ms_;
  PulsePhases phases_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_ENCODING_BIPHASIC_PULSE_H_
