// Whose spikes a decoding hears: from cells to units.
#ifndef LIVND_IO_DECODING_UNIT_MAP_H_
#define LIVND_IO_DECODING_UNIT_MAP_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "io/decoding/window.h"
#include "sim/gang/probe.h"

namespace livnd::io {

// Immutable and thread-safe.
class UnitMap {
 public:
  // A unit an electrode: a spike is heard by every electrode that its cell is in reach of, and
  // gids_in_reach[e] are the cells that electrode e hears (ElectrodeArray::CellsInReach).
  static UnitMap OfElectrodes(const std::vector<std::vector<uint32_t>>& gids_in_reach);
  // A unit a cell, in the order of the gids, each of which is there once. Other cells are not
  // heard.
  static UnitMap OfCells(absl::Span<const int64_t> gids);

  int64_t num_units() const { return num_units_; }

  // Calls hear(UnitSpike) for every unit that hears one of the spikes, whatever their copy; ticks
  // count from first_tick, where the window began. In the order of the spikes, then of the units.
  template <typename F>
  void ForEach(absl::Span<const sim::Spike> spikes, int64_t first_tick, F hear) const {
    for (const sim::Spike& spike : spikes) {
      const auto units = units_of_gid_.find(spike.gid);
      if (units == units_of_gid_.end()) continue;
      for (const int32_t unit : units->second) hear(UnitSpike{unit, spike.tick - first_tick});
    }
  }

 private:
  int64_t num_units_ = 0;
  absl::flat_hash_map<int64_t, std::vector<int32_t>> units_of_gid_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_UNIT_MAP_H_
