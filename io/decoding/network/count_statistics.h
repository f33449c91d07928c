// How the number of all spikes changes from bin to bin.
#ifndef LIVND_IO_DECODING_NETWORK_COUNT_STATISTICS_H_
#define LIVND_IO_DECODING_NETWORK_COUNT_STATISTICS_H_

#include "io/decoding/decoding.h"

namespace livnd::io {

struct CountStatisticsConfig {
  double bin_ms = 100.0;

  void Describe(CodingFields& fields) { fields.Number("bin_ms", &bin_ms, 1e-3, 1e9); }
};

// Spikes of all units in bins of the window, two at least: mean_count, std_count (of the
// population, by n), cv = std / mean, fano_factor = std^2 / mean; 0 where nothing has fired.
//
// Source: livn 2.0.0, decoding.py: PopulationRateMetrics.
// Traps: bins fill the window (io/decoding/bins.h), so that 250 ms in bins of 100 ms are two of 125
// ms. The Fano factor of summed units grows with their correlation and their number; it is no
// unit's.
class CountStatistics final : public Decoding {
 public:
  static constexpr char kName[] = "count_statistics";
  using Config = CountStatisticsConfig;

  CountStatistics(DecodingKey key, const Config& config, const DecodingWindow& window);
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;

 private:
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;

  Bins bins_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_NETWORK_COUNT_STATISTICS_H_
