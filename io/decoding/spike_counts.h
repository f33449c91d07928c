// From spikes to what each electrode has heard.
#ifndef LIVND_IO_DECODING_SPIKE_COUNTS_H_
#define LIVND_IO_DECODING_SPIKE_COUNTS_H_

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "sim/gang/probe.h"

namespace livnd::io {

// Counts spikes by electrode: one is heard by every electrode that its cell is in reach of.
//
// Immutable and thread-safe.
class SpikeCounts {
 public:
  // gids_in_reach[e]: the cells that electrode e hears (ElectrodeArray::CellsInReach).
  explicit SpikeCounts(const std::vector<std::vector<uint32_t>>& gids_in_reach);

  int num_electrodes() const { return num_electrodes_; }

  // Adds the spikes, whatever their copy, to counts, [num_electrodes].
  void Count(absl::Span<const sim::Spike> spikes, absl::Span<double> counts) const;

 private:
  int num_electrodes_;
  absl::flat_hash_map<int64_t, std::vector<int>> electrodes_of_gid_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_SPIKE_COUNTS_H_
