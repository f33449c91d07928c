#include "io/decoding/unit_map.h"

namespace livnd::io {

UnitMap UnitMap::OfElectrodes(const std::vector<std::vector<uint32_t>>& gids_in_reach) {
  UnitMap map;
  for (const std::vector<uint32_t>& gids : gids_in_reach) {
    const auto unit = static_cast<int32_t>(map.num_units_++);
    for (const uint32_t gid : gids) map.units_of_gid_[gid].push_back(unit);
  }
  return map;
}

UnitMap UnitMap::OfCells(absl::Span<const int64_t> gids) {
  UnitMap map;
  for (const int64_t gid : gids) {
    map.units_of_gid_[gid].push_back(static_cast<int32_t>(map.num_units_++));
  }
  return map;
}

}  // namespace livnd::io
