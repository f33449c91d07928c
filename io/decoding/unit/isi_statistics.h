// How regular the intervals between each unit's spikes are.
#ifndef LIVND_IO_DECODING_UNIT_ISI_STATISTICS_H_
#define LIVND_IO_DECODING_UNIT_ISI_STATISTICS_H_

#include "io/decoding/decoding.h"

namespace livnd::io {

struct IsiStatisticsConfig {
  int64_t min_spikes = 5;

  void Describe(CodingFields& fields) { fields.Whole("min_spikes", &min_spikes, 2, 1'000'000'000); }
};

// Of each unit with min_spikes and a mean interval above 0: is_used 1, mean_isi_ms, cv (deviation
// by mean, by n), lv (local variation: 3 times the mean of ((a - b) / (a + b))^2 over successive
// intervals), all [units], 0 of others; mean_cv and mean_lv over those units; num_used.
//
// Source: livn 2.0.0, decoding.py: ISICV (mean_cv). Local variation: Shinomoto, Shima, Tanji,
// Neural Computation 15 (2003), eq. 2.2.
// Traps: intervals that reach out of the window are lost, and long ones most often: short windows
// make rates look regular. A cv counts slow changes of the rate as irregularity; lv does not. Of an
// electrode that hears several cells both tend to 1 whatever the cells do.
class IsiStatistics final : public Decoding {
 public:
  static constexpr char kName[] = "isi_statistics";
  using Config = IsiStatisticsConfig;

  IsiStatistics(DecodingKey key, const Config& config, const DecodingWindow& window);
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;

 private:
  // Of each unit: tick + 1 of the last spike (0: none), intervals, their mean in ticks, sum of
  // squared deviations (Welford), the last one, sum of local variations.
  enum { kLast, kNum, kMean, kSquares, kPrevious, kLocal, kRowSize };

  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;

  double min_spikes_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_UNIT_ISI_STATISTICS_H_
