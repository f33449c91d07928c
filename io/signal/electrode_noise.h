// Noise of electrodes and their amplifiers, as if it had always been there.
#ifndef LIVND_IO_SIGNAL_ELECTRODE_NOISE_H_
#define LIVND_IO_SIGNAL_ELECTRODE_NOISE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace livnd::io {

// White and normal, equally strong on all electrodes. The number of a channel at a tick is a function of seed, channel
// and tick alone (sim/noise/counter_normal.h): it depends neither on which others were asked for, nor on their order,
// nor on the machine. Immutable and thread-safe.
class ElectrodeNoise {
 public:
  // A field error unless rms_uv is 0 .. 1e6 (uV).
  static absl::StatusOr<ElectrodeNoise> Create(double rms_uv, uint64_t seed);

  double rms_uv() const { return rms_uv_; }

  // uV; ticks may be any.
  double At(int channel, int64_t tick) const;
  // Adds that of channels 0, 1, ... to their potentials.
  void Add(int64_t tick, absl::Span<double> potentials_uv) const;

 private:
  ElectrodeNoise(double rms_uv, uint64_t seed) : rms_uv_(rms_uv), seed_(seed) {}

  double rms_uv_;
  uint64_t seed_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_SIGNAL_ELECTRODE_NOISE_H_
