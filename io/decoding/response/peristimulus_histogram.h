// Spikes around stimuli, over all of them.
#ifndef LIVND_IO_DECODING_RESPONSE_PERISTIMULUS_HISTOGRAM_H_
#define LIVND_IO_DECODING_RESPONSE_PERISTIMULUS_HISTOGRAM_H_

#include <vector>

#include "io/decoding/decoding.h"

namespace livnd::io {

struct PeristimulusHistogramConfig {
  std::vector<double> onsets_ms;
  double pre_ms = 50.0;
  double post_ms = 150.0;
  double bin_ms = 5.0;

  void Describe(CodingFields& fields);
};

// counts [groups, bins]: spikes of each group in bins from pre_ms before each onset to post_ms
// after, by onset; 0 without onsets. Bins begin at -pre_ms, and intervals are half open.
//
// Source: livn 2.0.0, decoding.py: PeriStimulusHistogram.
// Traps: where pre + post is no multiple of bin_ms, the last bin is longer than what is counted in
// it. An onset whose time before or after reaches out of the window is refused; livn counts it as a
// trial with less in it. A spike within the reach of two onsets counts twice.
class PeristimulusHistogram final : public Decoding {
 public:
  static constexpr char kName[] = "peristimulus_histogram";
  using Config = PeristimulusHistogramConfig;

  PeristimulusHistogram(DecodingKey key, const Config& config, const DecodingWindow& window);
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;

 private:
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;

  Config config_;
  int64_t num_bins_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_RESPONSE_PERISTIMULUS_HISTOGRAM_H_
