// The parameters that cells of a culture come to have.
#ifndef LIVND_SIM_CELL_PARAMS_H_
#define LIVND_SIM_CELL_PARAMS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sim/culture_config.h"

namespace livnd::sim {

// Everything that CultureConfig::cell_params takes with a section ("soma.g_pas"), as it follows
// from the cell's parameter set, its size and the configured values: livn's get_params, but for
// ic_constant, which is measured. InvalidArgument: no cell of a built population has this gid, or
// its parameters are refused.
absl::StatusOr<ParamValues> CellParamsOf(const CultureConfig& config, int64_t gid);

// livn's eight numbers of the noise of a population, defaults included; empty without noise.
ParamValues NoiseParamsOf(const CultureConfig& config, absl::string_view population);

}  // namespace livnd::sim

#endif  // LIVND_SIM_CELL_PARAMS_H_
