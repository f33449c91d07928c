// The streams that recordings of cultures and environments have, by what they hold.
#ifndef LIVND_IO_RECORDING_STREAMS_H_
#define LIVND_IO_RECORDING_STREAMS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "io/recording/stream.h"

namespace livnd::io {

inline constexpr absl::string_view kSpikes = "spikes";
inline constexpr absl::string_view kChannelEvents = "channel_events";
inline constexpr absl::string_view kStimuli = "stimuli";
inline constexpr absl::string_view kRewards = "rewards";
inline constexpr absl::string_view kEpisodeStarts = "episode_starts";
inline constexpr absl::string_view kPotentials = "potentials";
inline constexpr absl::string_view kVoltages = "voltages";
inline constexpr absl::string_view kLearnedWeights = "learned_weights";
inline constexpr absl::string_view kElectrodes = "electrodes";
inline constexpr absl::string_view kFibers = "fibers";

// After the key, a row of each has:
StreamSpec SpikesStream();         // int32 gid
StreamSpec ChannelEventsStream();  // int32 channel: an electrode that heard a spike, by its id
// int32 channel, float64 value, int64 num_ticks: from the row's tick on, so long. `channels` says what
// a channel is ("electrode", "gid"), `unit` what the value is in.
StreamSpec StimuliStream(absl::string_view channels, absl::string_view unit,
                         absl::string_view name = kStimuli);
// int32 gid, int32 section, float64 value, int64 num_ticks, likewise: of what sites are given.
StreamSpec SiteStimuliStream(absl::string_view name, absl::string_view unit);
// float64 reward, uint8 terminated, uint8 truncated; the tick is that of the step's end.
StreamSpec RewardsStream();
// uint64 seed; the tick is 0.
StreamSpec EpisodeStartsStream();

// Samples of many rows at once, [num_rows] of `type` in the column "values": potentials of electrodes,
// voltages, states, learned weights, observations, actions.
StreamSpec SeriesStream(absl::string_view name, ElementType type, int64_t num_rows,
                        absl::string_view unit, Attributes attributes = {});
// Beside a series, what its rows are, one row each: columns of int64 ("gid", "section").
StreamSpec LabelsStream(absl::string_view series, const std::vector<std::string>& columns);
// Where the channels of a device are, one row each, without a key: int32 channel, float64 x, y and z in um.
StreamSpec PlacesStream(absl::string_view name, Attributes attributes);

}  // namespace livnd::io

#endif  // LIVND_IO_RECORDING_STREAMS_H_
