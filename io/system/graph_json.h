// graph.json: what a system says of its populations and projections beside its HDF5 files.

#ifndef LIVND_IO_SYSTEM_GRAPH_JSON_H_
#define LIVND_IO_SYSTEM_GRAPH_JSON_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "io/json/json_view.h"
#include "io/system/system.h"

namespace livnd::io {

struct Graph {
  std::string coordinates_namespace = "Generated Coordinates";
  std::string synapses_namespace = "Synapse Attributes";
  std::string connectivity_namespace = "Connections";
  std::string uuid;  // of the architecture
  std::optional<AreaExtent> area;
  std::vector<LayerExtent> layers;
  std::map<std::string, int64_t> population_labels;
  std::vector<ProjectionConfig> projections;  // in file order
};

// The graph of a system, with the namespaces that NeuroH5's own tools use.
Graph GraphOf(const System& system);

// What ParseGraph reads as the same graph, and livn 2.0.0 takes: format version 1.
// `num_cells` by population, in the order in which livn is to name them.
Json GraphToJson(const Graph& graph,
                 const std::vector<std::pair<std::string, uint32_t>>& num_cells);

// Only the first element of `connections` is used, as in livn. Refuses a `version` other than 1
// (older files have none), unknown receptors and unknown receptor parameters.
absl::StatusOr<Graph> ParseGraph(const JsonView& document);

// One receptor of a projection; refuses unknown receptors and parameters.
absl::StatusOr<ReceptorConfig> ParseReceptor(const std::string& name, const JsonView& view);

}  // namespace livnd::io

#endif  // LIVND_IO_SYSTEM_GRAPH_JSON_H_
