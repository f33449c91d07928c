// When each unit fires first.
#ifndef LIVND_IO_DECODING_UNIT_FIRST_SPIKE_H_
#define LIVND_IO_DECODING_UNIT_FIRST_SPIKE_H_

#include "io/decoding/decoding.h"

namespace livnd::io {

struct FirstSpikeConfig {
  double none_ms = -1.0;

  void Describe(CodingFields& fields) { fields.Number("none_ms", &none_ms, -1e12, 1e12); }
};

// latency_ms [units]: from the start of the window to the first spike; none_ms of a unit without
// one, where -1 stands for the length of the window.
//
// Source: time-to-first-spike coding, Thorpe, Fize, Marlot, Nature 381 (1996).
// Trap: the latency of a unit that fires by itself says when the window began and not what evoked
// the spike.
class FirstSpike final : public Decoding {
 public:
  static constexpr char kName[] = "first_spike";
  using Config = FirstSpikeConfig;

  FirstSpike(DecodingKey key, const Config& config, const DecodingWindow& window);
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;

 private:
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;

  double none_ms_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_UNIT_FIRST_SPIKE_H_
