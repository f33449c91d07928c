// How many spikes each unit has had.
#ifndef LIVND_IO_DECODING_UNIT_SPIKE_COUNTS_H_
#define LIVND_IO_DECODING_UNIT_SPIKE_COUNTS_H_

#include "io/decoding/decoding.h"

namespace livnd::io {

// counts [units]: spikes in the window; of electrodes, those that each has heard.
//
// Trap: a cell in reach of two electrodes is counted by both, as in livn's channel_recording: the
// sum over electrodes is not the number of spikes. livn leaves out electrodes without cells; here
// they count 0.
class SpikeCounts final : public Decoding {
 public:
  static constexpr char kName[] = "spike_counts";
  using Config = NoFields;

  SpikeCounts(DecodingKey key, const Config& config, const DecodingWindow& window);
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;

 private:
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_UNIT_SPIKE_COUNTS_H_
