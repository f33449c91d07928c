// Cascades of activity between silences, and how they branch.
#ifndef LIVND_IO_DECODING_NETWORK_AVALANCHES_H_
#define LIVND_IO_DECODING_NETWORK_AVALANCHES_H_

#include "io/decoding/decoding.h"

namespace livnd::io {

struct AvalanchesConfig {
  enum Fit { kDensity, kCounts };

  double bin_ms = 4.0;
  int fit = kDensity;

  void Describe(CodingFields& fields) {
    fields.Number("bin_ms", &bin_ms, 1e-3, 1e9);
    fields.Word("fit", &fit, {"density", "counts"});
  }
};

// Bins of bin_ms begin with the first spike of the window; an avalanche is a run of bins with
// spikes. num_avalanches; mean_size, in spikes; mean_duration, in bins; branching_ratio, the mean
// of n(t + 1) / n(t) over the pairs of bins within avalanches, 0 if none has two. exponent and r2:
// the sizes of more than 10 avalanches, in 19 bins from 1 to the largest that are equal in the
// logarithm, by least squares in logarithms to size^-exponent; 0 where fewer than three bins have
// any.
//
// Source: Beggs, Plenz, J. Neurosci. 23 (2003); livn 2.0.0, decoding.py: AvalancheAnalysis.
// Traps: sizes, branching and exponent depend on bin_ms: at the mean interval of all spikes
// together a critical network branches at 1. The mean of quotients is above 1 even of independent
// counts. A line in logarithms is no proof of a power law. livn fits counts in bins that grow with
// the size, which takes 1 from the exponent, at the bins' arithmetic middles, and loses the largest
// avalanche where 10^log10(size) is rounded down; `fit: counts` is that without the loss. `density`
// divides by the whole sizes in a bin and takes their geometric middle.
class Avalanches final : public Decoding {
 public:
  static constexpr char kName[] = "avalanches";
  using Config = AvalanchesConfig;

  Avalanches(DecodingKey key, const Config& config, const DecodingWindow& window);
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;

 private:
  // Tick + 1 of the first spike (0: none); the bin that is filling, its count and the one before;
  // size and duration of the avalanche so far; sums over those before.
  enum { kFirst, kBin, kCount, kBefore, kSize, kDuration, kRatios, kNumRatios, kDurations, kRow };

  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;
  double BinOf(double ticks) const;
  void EndBin(absl::Span<double> state) const;
  void EndAvalanche(absl::Span<double> state) const;
  // Exponent and r2.
  void Fit(absl::Span<const double> sizes, absl::Span<double> values) const;

  int fit_;
  double bin_ticks_;
  size_t max_num_;
  size_t row_, num_, sizes_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_NETWORK_AVALANCHES_H_
