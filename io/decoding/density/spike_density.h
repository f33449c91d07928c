// What groups of cells do, by the smooth rates of each.
#ifndef LIVND_IO_DECODING_DENSITY_SPIKE_DENSITY_H_
#define LIVND_IO_DECODING_DENSITY_SPIKE_DENSITY_H_

#include <vector>

#include "io/decoding/decoding.h"
#include "io/decoding/density/baks.h"
#include "io/decoding/kept_spikes.h"

namespace livnd::io {

struct SpikeDensityConfig {
  double step_ms = 2.0;
  double bin_ms = 2.0;
  std::vector<double> active_threshold_hz = {0.01};
  double alpha = 4.77;
  double beta_exponent = 0.42;
  int64_t max_spikes = KeptSpikes::kDefaultMax;

  void Describe(CodingFields& fields);
};

// Each unit with two spikes or more has a rate by BaksRate (io/decoding/density/baks.h) at times
// that are step_ms apart. Of each group: mean_rate_hz [groups], the mean over such units of their
// mean rates, and fraction_active [groups] and num_active [groups], how many they are. At the
// middles of bins of bin_ms, rates in straight lines between those times, mean_fraction [groups]
// and std_fraction [groups] are the part of the group whose rate reaches active_threshold_hz (one
// for all groups, or one each), over bins; rate_cv [groups] is the deviation by the mean.
//
// Source: livn 2.0.0, decoding.py: PopulationSpikeDensity.
// Traps: a unit with one spike does not fire here. Spikes after the last of the times are left out,
// as in livn. Where livn is given thresholds by population, one that is not named has 0, and all of
// its cells that have a rate are active all the time. See also baks.
class SpikeDensity final : public Decoding {
 public:
  static constexpr char kName[] = "spike_density";
  using Config = SpikeDensityConfig;

  SpikeDensity(DecodingKey key, const Config& config, const DecodingWindow& window);
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;

 private:
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;
  // In a straight line between rates at multiples of step_ms.
  double RateAt(absl::Span<const double> rates, double time_ms) const;

  Config config_;
  int64_t num_times_, num_bins_;
  KeptSpikes spikes_;
  size_t scratch_, rates_, active_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_DENSITY_SPIKE_DENSITY_H_
