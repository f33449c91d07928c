#include "sim/culture/cell_params.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "sim/culture/point_builder.h"
#include "sim/culture/rcsd_builder.h"

namespace livnd::sim {

absl::StatusOr<ParamValues> CellParamsOf(const CultureConfig& config, int64_t gid) {
  return config.model.point.has_value() ? PointBuilder::ParamsOfCell(config, gid)
                                        : RcsdBuilder::ParamsOfCell(config, gid);
}

// livn 2.0.0 models/rcsd: the defaults of a set_noise call; models/glif.py and izhikevich.py,
// brian2_noise_configure.
const ParamValues& NoiseDefaults(const ModelConfig& model) {
  static const auto* const kRcsd =
      new ParamValues{{"std_e", 0.003}, {"std_i", 0.0066}, {"g_e0", 0.0121}, {"g_i0", 0.0573},
                      {"tau_e", 2.728}, {"tau_i", 10.49},  {"E_e", 0.0},     {"E_i", -75.0}};
  static const auto* const kPoint = new ParamValues{{"level", 1.0}};
  return model.point.has_value() ? *kPoint : *kRcsd;
}

ParamValues NoiseParamsOf(const CultureConfig& config, absl::string_view population) {
  if (!config.noise.has_value()) return {};
  ParamValues values = NoiseDefaults(config.model);
  for (auto& [name, value] : values) {
    const auto all = config.noise->find(name);
    if (all != config.noise->end()) value = all->second;
    const auto own = config.noise->find(absl::StrCat(population, "-", name));
    if (own != config.noise->end()) value = own->second;
  }
  return values;
}

}  // namespace livnd::sim
