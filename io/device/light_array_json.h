// Fibres as livn stores them.
#ifndef LIVND_IO_DEVICE_LIGHT_ARRAY_JSON_H_
#define LIVND_IO_DEVICE_LIGHT_ARRAY_JSON_H_

#include "absl/status/statusor.h"
#include "io/device/light_array_config.h"
#include "io/json/json_file.h"
#include "io/json/json_view.h"

namespace livnd::io {

// lightarray.json as livn stores it:
//   {"fiber_coordinates": [[id, x, y, z], ...], "numerical_aperture": 0.37, "fiber_radius_um": 100,
//    "wavelength_nm": 473, "scattering_coefficient": 11.2}
// Only the first member is required. Returns a valid config or a field error with the place in the document.
absl::StatusOr<LightArrayConfig> ParseLightArray(const JsonView& document);
// The five members; ParseLightArray gives back the same config.
Json LightArrayToJson(const LightArrayConfig& config);

}  // namespace livnd::io

#endif  // LIVND_IO_DEVICE_LIGHT_ARRAY_JSON_H_
