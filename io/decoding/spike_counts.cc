#include "io/decoding/spike_counts.h"

#include <cstddef>

namespace livnd::io {

SpikeCounts::SpikeCounts(const std::vector<std::vector<uint32_t>>& gids_in_reach)
    : num_electrodes_(static_cast<int>(gids_in_reach.size())) {
  for (int e = 0; e < num_electrodes_; ++e) {
    for (const uint32_t gid : gids_in_reach[static_cast<size_t>(e)]) {
      electrodes_of_gid_[gid].push_back(e);
    }
  }
}

void SpikeCounts::Count(absl::Span<const sim::Spike> spikes, absl::Span<double> counts) const {
  for (const sim::Spike& spike : spikes) {
    const auto electrodes = electrodes_of_gid_.find(spike.gid);
    if (electrodes == electrodes_of_gid_.end()) continue;
    for (const int e : electrodes->second) counts[static_cast<size_t>(e)] += 1.0;
  }
}

}  // namespace livnd::io
