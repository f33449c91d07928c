// Times at which all units together fire far more than usual.
#ifndef LIVND_IO_DECODING_NETWORK_NETWORK_BURSTS_H_
#define LIVND_IO_DECODING_NETWORK_NETWORK_BURSTS_H_

#include "io/decoding/decoding.h"

namespace livnd::io {

struct NetworkBurstsConfig {
  enum Count { kRuns, kEdges };

  double bin_ms = 50.0;
  double mad_k = 5.0;
  double min_floor = 3.0;
  double min_floor_fraction = 0.15;
  int count = kRuns;

  void Describe(CodingFields& fields) {
    fields.Number("bin_ms", &bin_ms, 1e-3, 1e9);
    fields.Number("mad_k", &mad_k, 0.0, 1e9);
    fields.Number("min_floor", &min_floor, 0.0, 1e12);
    fields.Number("min_floor_fraction", &min_floor_fraction, 0.0, 1e9);
    fields.Word("count", &count, {"runs", "edges"});
  }
};

// A bin of the window bursts if it holds `threshold` spikes or more, the larger of median + mad_k *
// 1.4826 * MAD (of the counts; a MAD of 0 counts as 1) and max(min_floor, min_floor_fraction *
// units that have fired). Bins that burst one after the other are one burst: num_bursts, rate_hz
// (bursts a second), threshold, in_burst [bins], 0 or 1, which tells onsets and ends.
//
// Source: livn 2.0.0, decoding.py: BurstRate.
// Traps: livn before 2.0.0 counted both edges of each burst, so that its numbers and rates are
// twice these; `count: edges` gives those. Whoever bursts half of the time has a median as high as
// the bursts, and none of them is found. Bins fill the window (io/decoding/bins.h); livn's onsets
// are multiples of bin_ms all the same.
class NetworkBursts final : public Decoding {
 public:
  static constexpr char kName[] = "network_bursts";
  using Config = NetworkBurstsConfig;

  NetworkBursts(DecodingKey key, const Config& config, const DecodingWindow& window);
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;

 private:
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;

  Config config_;
  Bins bins_;
  size_t has_fired_, counts_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_NETWORK_NETWORK_BURSTS_H_
