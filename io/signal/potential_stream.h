// Electrode potentials while a culture steps.
#ifndef LIVND_IO_SIGNAL_POTENTIAL_STREAM_H_
#define LIVND_IO_SIGNAL_POTENTIAL_STREAM_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "io/device/sparse_gains.h"
#include "io/signal/electrode_noise.h"

namespace livnd::io {

// Turns membrane currents, as a probe collects them step after step, into potentials of electrodes, and forgets them.
// Beside the gains, which may be shared, it holds a number an electrode: give it the probe's samples after each
// Advance, and clear these. Thread-compatible.
class PotentialStream {
 public:
  // gains: of the probe's sites, in their order. The first sample is of first_tick, each next one of sample_ticks
  // later; both count for the noise alone. No noise: the potentials as they are.
  PotentialStream(std::shared_ptr<const SparseGains> gains, std::optional<ElectrodeNoise> noise,
                  int64_t first_tick, int64_t sample_ticks)
      : gains_(std::move(gains)),
        noise_(std::move(noise)),
        tick_(first_tick),
        sample_ticks_(sample_ticks),
        potentials_uv_(gains_->num_electrodes()) {}

  // Of the next sample.
  int64_t tick() const { return tick_; }

  // Takes currents in uA, whole samples, [sample][site], and calls take(tick, potentials in uV of all electrodes) for
  // each.
  void Push(absl::Span<const double> currents_ua,
            absl::FunctionRef<void(int64_t, absl::Span<const double>)> take);

 private:
  std::shared_ptr<const SparseGains> gains_;
  std::optional<ElectrodeNoise> noise_;
  int64_t tick_, sample_ticks_;
  std::vector<double> potentials_uv_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_SIGNAL_POTENTIAL_STREAM_H_
