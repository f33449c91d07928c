#include "io/system/summary.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "io/device/electrode_array.h"

namespace livnd::io {
namespace {

// Edges that arrive at, or leave, each cell of a population.
std::vector<uint64_t> CountByCell(const std::vector<uint32_t>& gids, const Population& cells) {
  std::vector<uint64_t> counts(cells.num_cells);
  for (const uint32_t gid : gids) ++counts[gid - cells.first_gid];
  return counts;
}

double Mean(uint64_t num_edges, const Population& cells) {
  return cells.num_cells == 0 ? 0 : static_cast<double>(num_edges) / cells.num_cells;
}

uint64_t Max(const std::vector<uint64_t>& counts) {
  return counts.empty() ? 0 : *std::max_element(counts.begin(), counts.end());
}

uint64_t CountDuplicates(const Projection& projection) {
  std::vector<std::pair<uint32_t, uint32_t>> pairs;
  pairs.reserve(projection.source_gid.size());
  for (size_t i = 0; i < projection.source_gid.size(); ++i) {
    pairs.emplace_back(projection.source_gid[i], projection.target_gid[i]);
  }
  std::sort(pairs.begin(), pairs.end());
  return pairs.end() - std::unique(pairs.begin(), pairs.end());
}

uint64_t CountEdgesWithoutSite(const Projection& projection, const Population& post,
                               const SynapseSites& sites) {
  std::vector<std::pair<uint32_t, uint32_t>> known;  // (gid, syn_id)
  known.reserve(sites.syn_id.size());
  for (uint32_t cell = 0; cell < post.num_cells; ++cell) {
    for (uint64_t i = sites.offsets[cell]; i < sites.offsets[cell + 1]; ++i) {
      known.emplace_back(post.first_gid + cell, sites.syn_id[i]);
    }
  }
  std::sort(known.begin(), known.end());
  uint64_t missing = 0;
  for (size_t i = 0; i < projection.syn_id.size(); ++i) {
    const std::pair<uint32_t, uint32_t> wanted(projection.target_gid[i], projection.syn_id[i]);
    if (!std::binary_search(known.begin(), known.end(), wanted)) ++missing;
  }
  return missing;
}

}  // namespace

void Range::Add(double value) {
  min = n == 0 ? value : std::min(min, value);
  max = n == 0 ? value : std::max(max, value);
  sum += value;
  ++n;
}

double DelayMs(double distance_um) {
  constexpr double kVelocityUmPerMs = 250.0;
  constexpr double kMinDelayMs = 0.05;
  return std::max(distance_um / kVelocityUmPerMs, kMinDelayMs);
}

SynapseSummary Summarize(const SynapseSites& sites) {
  SynapseSummary summary;
  summary.num_cells = static_cast<uint32_t>(sites.offsets.size() - 1);
  summary.num_sites = sites.syn_id.size();
  for (uint32_t cell = 0; cell < summary.num_cells; ++cell) {
    const uint64_t count = sites.offsets[cell + 1] - sites.offsets[cell];
    if (count == 0) ++summary.cells_without_sites;
    summary.min_per_cell = cell == 0 ? count : std::min(summary.min_per_cell, count);
    summary.max_per_cell = std::max(summary.max_per_cell, count);
  }
  for (const uint8_t type : sites.syn_type) ++summary.by_syn_type[type];
  for (const uint8_t type : sites.swc_type) ++summary.by_swc_type[type];
  for (const float distance_um : sites.path_distance_um) {
    summary.path_distance_um.Add(distance_um);
  }
  return summary;
}

ProjectionSummary Summarize(const System& system, const Projection& projection) {
  const int post_index = system.FindPopulation(projection.post);
  const Population& post = system.populations[post_index];
  const Population& pre = system.populations[system.FindPopulation(projection.pre)];
  const std::vector<uint64_t> in = CountByCell(projection.target_gid, post);
  const std::vector<uint64_t> out = CountByCell(projection.source_gid, pre);

  ProjectionSummary summary;
  summary.num_edges = projection.source_gid.size();
  summary.num_targets =
      static_cast<uint32_t>(in.size() - std::count(in.begin(), in.end(), uint64_t{0}));
  summary.mean_in_degree = Mean(summary.num_edges, post);
  summary.max_in_degree = Max(in);
  summary.mean_out_degree = Mean(summary.num_edges, pre);
  summary.max_out_degree = Max(out);
  for (size_t i = 0; i < projection.source_gid.size(); ++i) {
    summary.distance_um.Add(projection.distance_um[i]);
    summary.delay_ms.Add(DelayMs(projection.distance_um[i]));
    if (projection.source_gid[i] == projection.target_gid[i]) ++summary.self_connections;
  }
  summary.duplicate_pairs = CountDuplicates(projection);
  summary.edges_without_site =
      CountEdgesWithoutSite(projection, post, system.synapse_sites[post_index]);
  return summary;
}

absl::StatusOr<ElectrodeSummary> Summarize(const System& system,
                                           const ElectrodeArrayConfig& array) {
  LIVND_ASSIGN_OR_RETURN(const ElectrodeArray electrodes, ElectrodeArray::Create(array));
  const auto reach = electrodes.CellsInReach(system.position_um);
  ElectrodeSummary summary;
  for (size_t i = 0; i < reach.size(); ++i) {
    summary.cells.Add(static_cast<double>(reach[i].size()));
    if (reach[i].empty()) summary.ids_without_cells.push_back(array.electrodes[i].id);
  }
  return summary;
}

}  // namespace livnd::io
