// One rectangular pulse in whole ticks, and currents whose charges cancel.
#ifndef LIVND_IO_STIMULUS_PULSE_H_
#define LIVND_IO_STIMULUS_PULSE_H_

#include <cstdint>

#include "sim/stimulus/stimulus.h"

namespace livnd::io {

// A first phase, a gap without current, and a recovery phase of the other sign.
struct PulsePhases {
  int64_t first_ticks = 0;
  int64_t gap_ticks = 0;
  int64_t recovery_ticks = 0;  // 0: a pulse of one phase, without a gap

  int64_t num_ticks() const { return first_ticks + gap_ticks + recovery_ticks; }
};

struct PulseCurrents {
  double first_ua = 0.0;
  double recovery_ua = 0.0;
};

// Currents of about first_ua and -first_ua first_ticks / recovery_ticks, so that
//   first_ticks first_ua + recovery_ticks recovery_ua = 0
// holds for the numbers themselves, not only to rounding. Where the phases are equally long, first_ua is what was
// given. Elsewhere it is a multiple of recovery_ticks / gcd with as many bits less: next to what was given, within
// 2^-51 max(first_ticks, recovery_ticks) / gcd of it. Without a recovery phase: {first_ua, 0}.
PulseCurrents BalancedCurrents(const PulsePhases& phases, double first_ua);

// The charge of a current that flows for some ticks, nC.
inline double ChargeNc(double current_ua, int64_t ticks, double tick_us) {
  return current_ua * static_cast<double>(ticks) * tick_us * 1e-3;  // uA us = pC
}

// Whole ticks of a length; -1 unless it is within 1e-6 of a tick of some. Takes any number.
int64_t WholeTicks(double length_us, double tick_us);

// Makes `waveform` one of num_samples samples of sample_ticks each that begins at a tick, and returns its samples,
// [num_samples][num_channels], to be written. Keeps its memory; forgets which channels it had.
double* BeginWaveform(int64_t tick, int64_t sample_ticks, double dt_ms, int num_channels,
                      int num_samples, sim::Waveform* waveform);

}  // namespace livnd::io

#endif  // LIVND_IO_STIMULUS_PULSE_H_
