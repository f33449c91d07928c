// How one number between 0 and 1 becomes pulses on one electrode.
#ifndef LIVND_IO_ENCODING_CHANNEL_CODE_H_
#define LIVND_IO_ENCODING_CHANNEL_CODE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "io/coding/coding_fields.h"
#include "io/encoding/pulse_slots.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::io {

// A regular train: value 0 is min_hz, 1 is max_hz. Pulses go on from step to step without a jump:
// what a step has left of an interval is kept, and a pulse for which the end of a step has no room
// begins the next one.
struct RateCode {
  double min_hz = 0.0;
  double max_hz = 20.0;
  double amplitude = 1.0;  // a fraction of the largest

  void Describe(CodingFields& fields);
  // Two slots a pulse, and one between.
  absl::Status Check(const PulseSlots& slots) const;
  // `phase`: the part of an interval that has passed, kept between steps; 0 at first.
  void Put(double value, int64_t electrode, const PulseSlots& slots, double* phase,
           sim::Waveform* waveform) const;
};

// One pulse, the earlier the larger the value: 1 is min_ms, the smallest above silent_below nearly
// max_ms; none at or below that. max_ms -1 is as late as a pulse fits.
struct LatencyCode {
  double min_ms = 0.0;
  double max_ms = -1.0;
  double silent_below = 0.0;
  double amplitude = 1.0;

  void Describe(CodingFields& fields);
  absl::Status Check(const PulseSlots& slots) const;
  void Put(double value, int64_t electrode, const PulseSlots& slots, sim::Waveform* waveform) const;
};

}  // namespace livnd::io

#endif  // LIVND_IO_ENCODING_CHANNEL_CODE_H_
