#include "io/device/light_array_config.h"

#include <cstddef>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/device/position.h"

namespace livnd::io {
namespace {

constexpr size_t kMaxFibers = 65536;

absl::Status CheckNumber(absl::string_view field, double value, double low, double high,
                         bool with_low) {
  if ((with_low ? value >= low : value > low) && value <= high) return absl::OkStatus();
  return MakeFieldError(
      field, Exact(value),
      absl::StrCat("a number ", with_low ? ">= " : "> ", Exact(low), " up to ", Exact(high)));
}

}  // namespace

absl::Status LightArrayConfig::Validate() const {
  if (fibers.empty() || fibers.size() > kMaxFibers) {
    return MakeFieldError("fiber_coordinates", absl::StrCat(fibers.size(), " fibres"),
                          absl::StrCat("1 to ", kMaxFibers));
  }
  absl::flat_hash_set<int32_t> ids;
  for (size_t i = 0; i < fibers.size(); ++i) {
    const std::string place = absl::StrCat("fiber_coordinates[", i, "]");
    if (!ids.insert(fibers[i].id).second) {
      return MakeFieldError(absl::StrCat(place, "[0]"),
                            absl::StrCat(fibers[i].id, " for the second time"), "each id once");
    }
    for (size_t axis = 0; axis < 3; ++axis) {
      LIVND_RETURN_IF_ERROR(
          CheckPosition(absl::StrCat(place, "[", 1 + axis, "]"), fibers[i].position_um[axis]));
    }
  }
  LIVND_RETURN_IF_ERROR(
      CheckNumber("numerical_aperture", numerical_aperture, 0.0, kTissueIndex, false));
  LIVND_RETURN_IF_ERROR(CheckNumber("fiber_radius_um", fiber_radius_um, 0.0, 1e6, false));
  LIVND_RETURN_IF_ERROR(CheckNumber("wavelength_nm", wavelength_nm, 0.0, 1e6, false));
  return CheckNumber("scattering_coefficient", scattering_per_mm, 0.0, 1e6, true);
}

}  // namespace livnd::io
