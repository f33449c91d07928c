// graph.json: what a system says of its populations and projections beside its HDF5 files.

#ifndef LIVND_IO_SYSTEM_GRAPH_JSON_H_
#define LIVND_IO_SYSTEM_GRAPH_JSON_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
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

// Only the first element of `connections` is used, as in livn. Refuses a `version` other than 1
// (older files have none), unknown receptors and unknown receptor parameters.
absl::StatusOr<Graph> ParseGraph(const JsonView& document);

}  // namespace livnd::io

#endif  // LIVND_IO_SYSTEM_GRAPH_JSON_H_
