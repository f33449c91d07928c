#include "env/recording/channel_events.h"

#include <cstddef>

namespace livnd::env {

ChannelEvents::ChannelEvents(absl::Span<const int32_t> ids,
                             absl::Span<const std::vector<uint32_t>> gids_in_reach) {
  for (size_t electrode = 0; electrode < ids.size(); ++electrode) {
    for (const uint32_t gid : gids_in_reach[electrode]) {
      if (heard_by_.size() <= gid) heard_by_.resize(gid + size_t{1});
      heard_by_[gid].push_back(ids[electrode]);
    }
  }
}

void ChannelEvents::Append(int64_t gid, const io::RowKey& key, std::string* rows) const {
  if (static_cast<size_t>(gid) >= heard_by_.size()) return;
  for (const int32_t id : heard_by_[static_cast<size_t>(gid)]) {
    io::AppendKey(key, rows);
    io::AppendValue(id, rows);
  }
}

}  // namespace livnd::env
