// Whether activity has run away or died.
#ifndef LIVND_IO_DECODING_NETWORK_STABILITY_H_
#define LIVND_IO_DECODING_NETWORK_STABILITY_H_

#include "io/decoding/decoding.h"

namespace livnd::io {

struct StabilityConfig {
  double tail_ms = 1000.0;
  double max_rate_hz = 20.0;
  double min_rate_hz = 0.05;
  double bin_ms = 100.0;

  void Describe(CodingFields& fields) {
    fields.Number("tail_ms", &tail_ms, 0.0, 1e9);
    fields.Number("max_rate_hz", &max_rate_hz, 0.0, 1e9);
    fields.Number("min_rate_hz", &min_rate_hz, 0.0, 1e9);
    fields.Number("bin_ms", &bin_ms, 1e-3, 1e9);
  }
};

// The rate of all units together, spikes a second, in bins: tail_mean_hz over the last tail_ms,
// from the bin int((duration - tail) / bin) on; global_mean_hz. is_runaway: the tail's mean is
// above max_rate_hz; is_quiescent: the global one below min_rate_hz; is_stable: neither.
//
// Source: livn 2.0.0, decoding.py: Stability.
// Trap: rates are of the population and not of a unit: a thousand cells at 0.02 Hz are at the limit
// that is given here by default. livn divides counts by bin_ms where its bins are wider than that;
// here by their width.
class Stability final : public Decoding {
 public:
  static constexpr char kName[] = "stability";
  using Config = StabilityConfig;

  Stability(DecodingKey key, const Config& config, const DecodingWindow& window);
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;

 private:
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;

  Config config_;
  Bins bins_;
  int64_t first_tail_bin_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_NETWORK_STABILITY_H_
