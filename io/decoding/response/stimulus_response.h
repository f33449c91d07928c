// What all units do after a stimulus, beside what they did before.
#ifndef LIVND_IO_DECODING_RESPONSE_STIMULUS_RESPONSE_H_
#define LIVND_IO_DECODING_RESPONSE_STIMULUS_RESPONSE_H_

#include "io/decoding/decoding.h"

namespace livnd::io {

struct StimulusResponseConfig {
  double onset_ms = 1000.0;
  double pre_ms = 1000.0;
  double post_ms = 500.0;
  double bin_ms = 10.0;
  double tail_ms = 4000.0;
  double threshold_k = 3.0;
  double undefined = -1.0;

  void Describe(CodingFields& fields);
};

// Before is [onset - pre, onset), after is [onset, onset + post). Rates are by unit of all.
//
// evoked_rate_hz: the rate after less the one before; gain: their quotient, undefined where nothing
// fired before; peak_hz: of the fullest bin after; latency_ms: the middle of that bin if it is
// above the threshold, else undefined; duration_ms: from the first bin above the threshold, of
// those in [onset, onset + tail), to the first three in a row that are not, undefined if there is
// none or they do not come; probability: part of the units that answer; has_answered [units]: 1 if
// the spikes after are more than post / pre times those before, and one more. threshold = median +
// threshold_k * 1.4826 * max(MAD, 1 / 1.4826) of the counts in bins before.
//
// Source: livn 2.0.0, decoding.py: StimulusResponse.
// Traps: what livn has as NaN is `undefined`, a number below all others by default. livn counts a
// spike just at the onset both before and after, and one just at the end of the bins after in the
// last of them; here intervals are half open. Bins of the tail beyond the window count as quiet, as
// in livn. Where windows do not fit, livn's answer is empty; here the decoding is refused. A window
// without spikes is not: its values are 0 or undefined.
class StimulusResponse final : public Decoding {
 public:
  static constexpr char kName[] = "stimulus_response";
  using Config = StimulusResponseConfig;

  StimulusResponse(DecodingKey key, const Config& config, const DecodingWindow& window);
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;

 private:
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;
  double Duration(absl::Span<const double> tail, double threshold) const;

  Config config_;
  int64_t onset_, pre_begin_, post_end_;  // ticks
  int64_t num_pre_bins_, num_post_bins_, num_tail_bins_;
  size_t pre_, post_, pre_bins_, tail_bins_;
};

// livn's rule: more spikes after than before, by time, and one more.
inline bool HasAnswered(double num_pre, double num_post, double pre_ms, double post_ms) {
  return num_post > num_pre * (post_ms / pre_ms) + 1.0;
}

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_RESPONSE_STIMULUS_RESPONSE_H_
