// How long activity stays what it is.
#ifndef LIVND_IO_DECODING_NETWORK_AUTOCORRELATION_TIME_H_
#define LIVND_IO_DECODING_NETWORK_AUTOCORRELATION_TIME_H_

#include "absl/strings/str_cat.h"
#include "io/decoding/decoding.h"

namespace livnd::io {

struct AutocorrelationTimeConfig {
  double bin_ms = 10.0;
  double max_lag_ms = 5000.0;

  void Describe(CodingFields& fields) {
    fields.Number("bin_ms", &bin_ms, 1e-3, 1e9);
    fields.Number("max_lag_ms", &max_lag_ms, 1e-3, 1e9);
    fields.Require(max_lag_ms >= bin_ms, "max_lag_ms", absl::StrCat(max_lag_ms), "bin_ms or more");
  }
};

// tau_ms = bin * (1 + 2 * sum of the autocorrelation of all units' counts over lags of 1, 2 ...
// bins), up to the first lag where it is not positive, or max_lag_ms; within bin_ms .. max_lag_ms.
// The autocorrelation at lag k is the sum of x_i x_{i+k} by that of x_i^2, x the counts without
// their mean. bin_ms where there are no more than 8 bins, or counts do not vary.
//
// Source: livn 2.0.0, decoding.py: PopulationAutocorrTau.
// Traps: bin_ms is the least it can say. Sums over long lags have fewer terms and shrink towards 0:
// windows should be many times longer than what is measured. A rhythm makes the sum end at its
// first trough.
class AutocorrelationTime final : public Decoding {
 public:
  static constexpr char kName[] = "autocorrelation_time";
  using Config = AutocorrelationTimeConfig;

  AutocorrelationTime(DecodingKey key, const Config& config, const DecodingWindow& window);
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;

 private:
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;

  Config config_;
  Bins bins_;
  int64_t max_lag_;  // bins
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_NETWORK_AUTOCORRELATION_TIME_H_
