// Biphasic pulses on electrodes at many times of a step.
#ifndef LIVND_IO_ENCODING_PULSE_SLOTS_H_
#define LIVND_IO_ENCODING_PULSE_SLOTS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "io/coding/coding_fields.h"
#include "io/encoding/biphasic_pulse.h"
#include "io/encoding/encoding.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::io {

// Adds the fields of a pulse: phase_us and max_amplitude_ua.
void DescribePulse(BiphasicPulseConfig& pulse, CodingFields& fields);

// A step is cut into slots of the length of a phase; a pulse begins with one and takes two. What is
// left at the step's end, less than a slot, has none.
class PulseSlots {
 public:
  PulseSlots(const BiphasicPulseConfig& pulse, const EncodingWindow& window);

  // Field errors: the pulse's; a step of less than two slots, or of too many samples.
  absl::Status Check() const;

  int64_t num_slots() const { return num_slots_; }
  double slot_ms() const { return slot_ms_; }
  // What is left at the step's end, as a part of a slot.
  double rest() const;
  // The last slot in which a pulse may begin.
  int64_t last_onset() const { return num_slots_ - 2; }
  // The onset at a time of the step, or just after it; last_onset at the latest.
  int64_t OnsetAt(double time_ms) const;

  // No pulses in the step that begins at `tick`.
  void Clear(int64_t tick, sim::Waveform* waveform) const;
  // One of `amplitude`, a fraction of the largest in -1 .. 1, positive cathodic first, in place of
  // what an earlier one on that electrode has in its two slots: callers leave two at least between
  // onsets.
  void Put(int64_t electrode, int64_t slot, double amplitude, sim::Waveform* waveform) const;

 private:
  BiphasicPulseConfig pulse_;
  EncodingWindow window_;
  double slot_ms_;
  int64_t slot_ticks_;
  int64_t num_slots_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_ENCODING_PULSE_SLOTS_H_
