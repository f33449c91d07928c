// Counts and ranges of a system, for people and tools that look at one.

#ifndef LIVND_IO_SYSTEM_SUMMARY_H_
#define LIVND_IO_SYSTEM_SUMMARY_H_

#include <cstdint>
#include <map>
#include <vector>

#include "absl/status/statusor.h"
#include "io/device/electrode_array_config.h"
#include "io/system/system.h"

namespace livnd::io {

// Of a list of numbers; all 0 if it is empty.
struct Range {
  uint64_t n = 0;
  double sum = 0;
  double min = 0;
  double max = 0;

  void Add(double value);
  double mean() const { return n == 0 ? 0 : sum / static_cast<double>(n); }
};

struct SynapseSummary {
  uint32_t num_cells = 0;
  uint64_t num_sites = 0;
  uint32_t cells_without_sites = 0;
  uint64_t min_per_cell = 0;
  uint64_t max_per_cell = 0;
  std::map<int, uint64_t> by_syn_type;
  std::map<int, uint64_t> by_swc_type;
  Range path_distance_um;
};

struct ProjectionSummary {
  uint64_t num_edges = 0;
  uint32_t num_targets = 0;   // cells with at least one edge
  double mean_in_degree = 0;  // over all cells of the post population
  uint64_t max_in_degree = 0;
  double mean_out_degree = 0;  // over all cells of the pre population
  uint64_t max_out_degree = 0;
  Range distance_um;
  Range delay_ms;  // max(distance / 250 um per ms, 0.05 ms)
  uint64_t self_connections = 0;
  uint64_t duplicate_pairs = 0;     // edges minus distinct (source, target) pairs
  uint64_t edges_without_site = 0;  // whose syn_id the target cell does not list
};

// What an array hears of a system's somata.
struct ElectrodeSummary {
  Range cells;                             // how many each electrode hears
  std::vector<int32_t> ids_without_cells;  // of electrodes that hear none, in declared order
};

// Axonal conduction as livn has it: 250 um per ms, at least two steps of 25 us.
double DelayMs(double distance_um);

SynapseSummary Summarize(const SynapseSites& sites);
ProjectionSummary Summarize(const System& system, const Projection& projection);
// The error is ElectrodeArray::Create's.
absl::StatusOr<ElectrodeSummary> Summarize(const System& system, const ElectrodeArrayConfig& array);

}  // namespace livnd::io

#endif  // LIVND_IO_SYSTEM_SUMMARY_H_
