// Runs of spikes of one unit that follow each other fast.
#ifndef LIVND_IO_DECODING_UNIT_BURSTS_H_
#define LIVND_IO_DECODING_UNIT_BURSTS_H_

#include "io/decoding/decoding.h"

namespace livnd::io {

struct BurstsConfig {
  double max_isi_ms = 100.0;
  int64_t min_spikes = 10;

  void Describe(CodingFields& fields) {
    fields.Number("max_isi_ms", &max_isi_ms, 0.0, 1e9);
    fields.Whole("min_spikes", &min_spikes, 2, 1'000'000'000);
  }
};

// A burst is a run, as long as it gets, of min_spikes or more of one unit with intervals of
// max_isi_ms at most. num_bursts [units]; rate_hz [units], bursts a second; fraction_in_bursts
// [units] of the unit's spikes; mean_duration_ms [units], first to last spike. 0 of units without.
//
// Source: Chiappalone et al., Neurocomputing 65-66 (2005), for electrodes over dissociated
// cultures: 10 spikes, 100 ms.
// Traps: a unit that fires faster than one in max_isi_ms all the time has one burst, as long as the
// window. A burst that is cut by the window's ends counts if what is left of it is long enough.
// Bursts of the network are another thing: network_bursts.
class Bursts final : public Decoding {
 public:
  static constexpr char kName[] = "bursts";
  using Config = BurstsConfig;

  Bursts(DecodingKey key, const Config& config, const DecodingWindow& window);
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;

 private:
  // Of each unit: tick + 1 of the last spike (0: none), that of the run's first one, spikes of the
  // run; bursts that have ended, spikes and ticks in them; all spikes.
  enum { kLast, kBegin, kRun, kNum, kInBursts, kTicks, kAll, kRowSize };

  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;
  void EndRun(absl::Span<double> row) const;

  double max_isi_ticks_;
  double min_spikes_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_UNIT_BURSTS_H_
