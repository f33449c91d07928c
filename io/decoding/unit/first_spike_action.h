// One number from the first spike of the channel that answers most.
#ifndef LIVND_IO_DECODING_UNIT_FIRST_SPIKE_ACTION_H_
#define LIVND_IO_DECODING_UNIT_FIRST_SPIKE_ACTION_H_

#include "io/decoding/decoding.h"

namespace livnd::io {

struct FirstSpikeActionConfig {
  double low = -2.0;
  double high = 2.0;
  double none = 0.0;
  std::vector<std::vector<double>> channels;

  void Describe(CodingFields& fields);
};

// action = low + (high - low) * t / duration, where t is the first spike of the channel that has
// won; none if nothing has fired. A channel's score is the mean count of its units that have fired,
// and the first of the largest wins. `channels` lists the units of each, which may be in several;
// without it, each unit is a channel.
//
// Source: FirstSpikeDecoder of livn's removed reinforcement-learning example, whose channels are
// electrodes and whose units are the cells in their reach.
// Traps: a channel with one busy cell beats one with many that fire once, since silent cells do not
// count. What evokes no spike and what evokes one in the middle of the window are told apart by
// nothing where `none` is the middle.
class FirstSpikeAction final : public Decoding {
 public:
  static constexpr char kName[] = "first_spike_action";
  using Config = FirstSpikeActionConfig;

  FirstSpikeAction(DecodingKey key, const Config& config, const DecodingWindow& window);
  void AddSpike(const UnitSpike& spike, absl::Span<double> state) const override;

 private:
  absl::Status Read(absl::Span<double> state, absl::Span<double> values) const override;

  Config config_;
  size_t counts_, firsts_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_UNIT_FIRST_SPIKE_ACTION_H_
