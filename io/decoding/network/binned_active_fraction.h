// How many units of a group take part at a time.
#ifndef LIVND_IO_DECODING_NETWORK_BINNED_ACTIVE_FRACTION_H_
#define LIVND_IO_DECODING_NETWORK_BINNED_ACTIVE_FRACTION_H_

#include "io/decoding/decoding.h"

namespace livnd::io {

struct BinnedActiveFractionConfig {
  double bin_ms = 50.0;

  void Describe(CodingFields& fields) { fields.Number("bin_ms", &bin_ms, 1e-3, 1e9); }
};

// The part of a group's units that fires in a bin, however often: mean [groups] and std [groups]
// over bins.
//
// Source: livn 2.0.0, decoding.py: PopulationActiveFraction.
// Traps: round(duration / bin) bins, one at least, fill the window. Where the duration is no
// multiple of the bin, livn's last one is cut short or left out, which biases its mean.
class BinnedActiveFraction final : public Decoding {
 public:
  static constexpr char kName[] = "binned_active_fraction";
  using Config = BinnedActiveFractionConfig;

  BinnedActiveFraction(DecodingKey key, const Config& config, const DecodingWindow& window);
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;

 private:
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;

  Bins bins_;
  size_t last_bins_, counts_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_NETWORK_BINNED_ACTIVE_FRACTION_H_
