// The parameters that cells of a culture come to have.
#ifndef LIVND_SIM_CULTURE_CELL_PARAMS_H_
#define LIVND_SIM_CULTURE_CELL_PARAMS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sim/culture/culture_config.h"

namespace livnd::sim {

// Everything that CultureConfig::cell_params takes of a built cell ("soma.g_pas"; of a point neuron
// "tau_m"), but for template parameters, as it follows from the model, the cell's size and the
// configured values: livn's get_params without ic_constant, which is measured. InvalidArgument: no
// such cell, or its parameters are refused.
absl::StatusOr<ParamValues> CellParamsOf(const CultureConfig& config, int64_t gid);

// The noise parameters that a model has, with livn's defaults.
const ParamValues& NoiseDefaults(const ModelConfig& model);
// The noise parameters of a population, defaults included; empty without noise.
ParamValues NoiseParamsOf(const CultureConfig& config, absl::string_view population);

}  // namespace livnd::sim

#endif  // LIVND_SIM_CULTURE_CELL_PARAMS_H_
