// Which electrodes hear a spike, as rows of a recording.
#ifndef LIVND_ENV_RECORDING_CHANNEL_EVENTS_H_
#define LIVND_ENV_RECORDING_CHANNEL_EVENTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "io/recording/stream.h"

namespace livnd::env {

// Immutable and thread-safe.
class ChannelEvents {
 public:
  // No electrode hears anything.
  ChannelEvents() = default;
  // [electrode] its id, and the cells within its reach (io::ElectrodeArray::CellsInReach).
  ChannelEvents(absl::Span<const int32_t> ids,
                absl::Span<const std::vector<uint32_t>> gids_in_reach);

  // A row of io::ChannelEventsStream for each electrode that hears the cell, in declared order.
  void Append(int64_t gid, const io::RowKey& key, std::string* rows) const;

 private:
  std::vector<std::vector<int32_t>> heard_by_;  // [gid] ids
};

}  // namespace livnd::env

#endif  // LIVND_ENV_RECORDING_CHANNEL_EVENTS_H_
