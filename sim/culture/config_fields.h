// How errors name the places in a CultureConfig: the paths that Culture::Create's errors tell.
#ifndef LIVND_SIM_CULTURE_CONFIG_FIELDS_H_
#define LIVND_SIM_CULTURE_CONFIG_FIELDS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sim/culture/culture_config.h"

namespace livnd::sim {

// "weights[KEY]", "population_params[EXC]", "cell_params[17]", ...
std::string FieldAt(absl::string_view map, absl::string_view key);

// "projections[POST<-PRE]".
std::string FieldOf(const ProjectionConfig& projection);

// An error about a name, as one about that key of a map: "soma.cm" becomes "cell_params[17][soma.cm]".
absl::Status AtKeyOf(absl::string_view map, const absl::Status& status);

// A map names a population that the model does not build.
absl::Status NotBuilt(absl::string_view map, absl::string_view population);

// A map names a cell that the model does not build.
absl::Status CellNotBuilt(absl::string_view map, int64_t gid);

// What every projection must be: edges between things that exist, with sound numbers.
absl::Status CheckEdge(const ProjectionConfig& projection, const Edge& edge, bool between_cells);

}  // namespace livnd::sim

#endif  // LIVND_SIM_CULTURE_CONFIG_FIELDS_H_
