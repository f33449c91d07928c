#include "sim/culture/culture_parts.h"

namespace livnd::sim {

void CultureParts::AddSources(const std::vector<PopulationConfig>& populations) {
  for (const PopulationConfig& population : populations) {
    for (int64_t i = 0; i < population.num_present(); ++i) {
      const auto source = static_cast<int64_t>(source_index.size());
      source_index[population.gid(i)] = source;
    }
  }
}

void CultureParts::AddCell(int group, int64_t gid, uint32_t cell_class) {
  CellGroup& g = groups[group];
  cells[gid] = {group, g.num_cells()};
  g.gids.push_back(gid);
  g.source.push_back(static_cast<uint32_t>(source_index[gid]));
  g.cell_class.push_back(cell_class);
  gids.push_back(gid);
}

Culture::CellRef CultureParts::Find(int64_t gid) const {
  const auto it = cells.find(gid);
  return it == cells.end() ? Culture::CellRef{} : it->second;
}

int64_t CultureParts::SourceIndex(int64_t gid) const {
  const auto it = source_index.find(gid);
  return it == source_index.end() ? -1 : it->second;
}

}  // namespace livnd::sim
