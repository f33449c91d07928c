// How fast units and groups of them fire.
#ifndef LIVND_IO_DECODING_UNIT_FIRING_RATES_H_
#define LIVND_IO_DECODING_UNIT_FIRING_RATES_H_

#include "io/decoding/decoding.h"

namespace livnd::io {

// Spikes by time, over the whole window.
//
// rate_hz [units]; group_rate_hz [groups], by unit of the group, silent ones included (livn's
// PopulationFiringRates); mean_rate_hz, by unit. Of the units that have fired alone: num_fired,
// fired_mean_hz, fired_max_hz, fired_min_hz, fired_cv (the deviation of their rates by their mean).
//
// Source: livn 2.0.0, decoding.py: MeanFiringRate (fired_mean_hz), PerUnitFiringRate (the others of
// fired units), PopulationFiringRates.
// Traps: livn's mean rate divides by the units that have fired, and is higher the more of them are
// silent: one cell of a thousand at 10 Hz makes 10 Hz. mean_rate_hz divides by all. livn adds 1e-9
// to its denominators, which is not done here.
class FiringRates final : public Decoding {
 public:
  static constexpr char kName[] = "firing_rates";
  using Config = NoFields;

  FiringRates(DecodingKey key, const Config& config, const DecodingWindow& window);
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;

 private:
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_UNIT_FIRING_RATES_H_
