// Rates as smooth functions of time, as smooth as the spikes allow.
#ifndef LIVND_IO_DECODING_DENSITY_BAKS_H_
#define LIVND_IO_DECODING_DENSITY_BAKS_H_

#include "absl/types/span.h"
#include "io/decoding/decoding.h"
#include "io/decoding/kept_spikes.h"

namespace livnd::io {

// The rate, Hz, of spikes at some times, s, at another time: the sum of Gaussian kernels of
// bandwidth h within 6 h, h = G(alpha) / G(alpha + 1/2) * sum B^-alpha / sum B^-(alpha + 1/2), B =
// (time - spike)^2 / 2 + 1 / beta, G the gamma function. 0 without spikes.
double BaksRate(absl::Span<const double> spikes_s, double time_s, double alpha, double beta);

struct BaksConfig {
  double step_ms = 2.0;
  double alpha = 4.77;
  double beta_exponent = 0.42;
  int64_t max_spikes = KeptSpikes::kDefaultMax;

  void Describe(CodingFields& fields);
};

// rate_hz [units, times] by the Bayesian adaptive kernel smoother, at 0, step_ms, 2 step_ms ...
// within the window, with beta = (spikes of the unit)^beta_exponent.
//
// Source: Ahmadi, Constandinou, Bouganis, PLoS ONE 13 (2018), e0206794; livn 2.0.0, decoding.py:
// baks.
// Traps: not causal: the rate at a time depends on the spikes after it. The paper takes beta =
// spikes^(4/5) and alpha = 4; the defaults are livn's. At the window's ends kernels reach out, and
// rates are too low. Spikes are kept: more than max_spikes in a window are ResourceExhausted.
class Baks final : public Decoding {
 public:
  static constexpr char kName[] = "baks";
  using Config = BaksConfig;

  Baks(DecodingKey key, const Config& config, const DecodingWindow& window);
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;

 private:
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;

  Config config_;
  int64_t num_times_;
  KeptSpikes spikes_;
  size_t scratch_;
};

// What baks and spike_density share: the times at which a rate is asked for in a window, and
// whether max_spikes kernels at all of them, and all units' trains, are too much work, which is an
// error about step_ms.
int64_t NumTimes(const DecodingWindow& window, double step_ms);
absl::Status CheckWork(const DecodingWindow& window, double step_ms, int64_t max_spikes);

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_DENSITY_BAKS_H_
