#include "io/device/light_array_json.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/status_macros.h"

namespace livnd::io {

absl::StatusOr<LightArrayConfig> ParseLightArray(const JsonView& document) {
  LIVND_RETURN_IF_ERROR(
      document.CheckMembers({"fiber_coordinates", "numerical_aperture", "fiber_radius_um",
                             "wavelength_nm", "scattering_coefficient"}));
  LightArrayConfig config;
  LIVND_ASSIGN_OR_RETURN(const JsonView rows, document.Member("fiber_coordinates"));
  LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> elements, rows.Elements());
  for (const JsonView& row : elements) {
    LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> values, row.Elements(4));
    Fiber& fiber = config.fibers.emplace_back();
    LIVND_ASSIGN_OR_RETURN(const int64_t id, values[0].Integer(INT32_MIN, INT32_MAX));
    fiber.id = static_cast<int32_t>(id);
    for (size_t axis = 0; axis < 3; ++axis) {
      LIVND_ASSIGN_OR_RETURN(fiber.position_um[axis], values[axis + 1].Number());
    }
  }
  for (const auto& [name, value] :
       {std::make_pair("numerical_aperture", &config.numerical_aperture),
        std::make_pair("fiber_radius_um", &config.fiber_radius_um),
        std::make_pair("wavelength_nm", &config.wavelength_nm),
        std::make_pair("scattering_coefficient", &config.scattering_per_mm)}) {
    LIVND_ASSIGN_OR_RETURN(const auto member, document.Find(name));
    if (!member.has_value()) continue;
    LIVND_ASSIGN_OR_RETURN(*value, member->Number());
  }
  LIVND_RETURN_IF_ERROR(document.Within(config.Validate()));
  return config;
}

Json LightArrayToJson(const LightArrayConfig& config) {
  Json rows = Json::array();
  for (const Fiber& fiber : config.fibers) {
    const auto& place = fiber.position_um;
    rows.push_back({static_cast<double>(fiber.id), place[0], place[1], place[2]});
  }
  return {{"fiber_coordinates", std::move(rows)},
          {"numerical_aperture", config.numerical_aperture},
          {"fiber_radius_um", config.fiber_radius_um},
          {"wavelength_nm", config.wavelength_nm},
          {"scattering_coefficient", config.scattering_per_mm}};
}

}  // namespace livnd::io
