// How many spikes fall together at most.
#ifndef LIVND_IO_DECODING_NETWORK_SYNCHRONY_H_
#define LIVND_IO_DECODING_NETWORK_SYNCHRONY_H_

#include "io/decoding/decoding.h"

namespace livnd::io {

struct SynchronyConfig {
  double bin_ms = 2.0;

  void Describe(CodingFields& fields) { fields.Number("bin_ms", &bin_ms, 1e-3, 1e9); }
};

// max_count: spikes in the fullest bin; num_fired: units that have fired in the window; peak: their
// quotient, 0 if none has.
//
// Source: livn 2.0.0, decoding.py: PeakSynchrony.
// Traps: not a fraction of units: a unit that fires twice in a bin counts twice, and peak may be
// above 1. A maximum grows with the length of the window.
class Synchrony final : public Decoding {
 public:
  static constexpr char kName[] = "synchrony";
  using Config = SynchronyConfig;

  Synchrony(DecodingKey key, const Config& config, const DecodingWindow& window);
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;

 private:
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;

  Bins bins_;
  size_t has_fired_,
      bin_;  // bin_: the bin of the last spike + 1, the count in it, the largest count
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_NETWORK_SYNCHRONY_H_
