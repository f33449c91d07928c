// What a builder makes of a configuration, and a Culture is made of. Internal to sim/culture.
#ifndef LIVND_SIM_CULTURE_CULTURE_PARTS_H_
#define LIVND_SIM_CULTURE_CULTURE_PARTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "sim/culture/culture.h"
#include "sim/culture/culture_config.h"
#include "sim/network/connectivity.h"

namespace livnd::sim {

// A connection of a cell or event source.
struct PendingRow {
  uint32_t source;
  Terminal terminal;
  ConnectionRow row;          // but for its terminal
  PlasticConnection plastic;  // where the row's receptor is plastic
};

// Filled by one of the builders: sources first, then groups and their cells, then connections.
struct CultureParts {
  // Numbers all cells that are present, simulated or not.
  void AddSources(const std::vector<PopulationConfig>& populations);
  // Adds a cell to a group that exists; cells come in gid order.
  void AddCell(int group, int64_t gid, uint32_t cell_class);
  // group = -1 for a gid that is not a built cell.
  Culture::CellRef Find(int64_t gid) const;
  // -1 for a gid that is not there.
  int64_t SourceIndex(int64_t gid) const;

  int64_t refractory_steps = 0;
  bool has_noise = false;
  bool has_plasticity = false;
  bool has_opsin = false;
  double noise_interval_ms = 0.025;
  TimeRules time_rules = TimeRules::kContinuous;
  std::vector<CellGroup> groups;
  std::vector<int64_t> gids;  // of the cells built, ascending
  absl::flat_hash_map<int64_t, Culture::CellRef> cells;
  absl::flat_hash_map<int64_t, int64_t> source_index;
  std::vector<ReceptorConstants> receptors;
  int max_delay_steps = 0;
  std::vector<PendingRow> rows;  // in the order of the configuration
  std::vector<std::string> weight_keys;
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_CULTURE_CULTURE_PARTS_H_
