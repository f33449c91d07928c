// How much the counts of units rise and fall together.
#ifndef LIVND_IO_DECODING_NETWORK_CORRELATION_H_
#define LIVND_IO_DECODING_NETWORK_CORRELATION_H_

#include "io/decoding/decoding.h"

namespace livnd::io {

struct CorrelationConfig {
  double bin_ms = 20.0;
  int64_t min_units = 2;
  bool matrix = false;

  void Describe(CodingFields& fields) {
    fields.Number("bin_ms", &bin_ms, 1e-3, 1e9);
    fields.Whole("min_units", &min_units, 2, 1 << 20);
    fields.Flag("matrix", &matrix);
  }
};

// Pearson's correlation of the counts of two units in bins of the window, without lag. mean: over
// the pairs of units whose counts vary, of which there are num_pairs; 0 with fewer such units than
// min_units. With `matrix`, also correlation [units, units], 0 in rows and columns of other units.
//
// Source: livn 2.0.0, decoding.py: PairwiseChannelCorrelation.
// Traps: depends on the bin: narrow ones push it to 0, since spikes a few ms apart fall into
// different bins. Rates that change together over the window count as correlation. Electrodes that
// hear the same cells are correlated by that.
class Correlation final : public Decoding {
 public:
  static constexpr char kName[] = "correlation";
  using Config = CorrelationConfig;

  Correlation(DecodingKey key, const Config& config, const DecodingWindow& window);
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;

 private:
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;

  Config config_;
  Bins bins_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_NETWORK_CORRELATION_H_
