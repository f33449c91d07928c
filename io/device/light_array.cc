#include "io/device/light_array.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"

namespace livnd::io {
namespace {

constexpr size_t kMaxFibers = 65536;
constexpr double kTissueIndex = 1.36;
constexpr double kPi = 3.141592653589793;

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
      LIVND_RETURN_IF_ERROR(CheckNumber(absl::StrCat(place, "[", 1 + axis, "]"),
                                        fibers[i].position_um[axis], -1e9, 1e9, true));
    }
  }
  LIVND_RETURN_IF_ERROR(
      CheckNumber("numerical_aperture", numerical_aperture, 0.0, kTissueIndex, false));
  LIVND_RETURN_IF_ERROR(CheckNumber("fiber_radius_um", fiber_radius_um, 0.0, 1e6, false));
  LIVND_RETURN_IF_ERROR(CheckNumber("wavelength_nm", wavelength_nm, 0.0, 1e6, false));
  return CheckNumber("scattering_coefficient", scattering_per_mm, 0.0, 1e6, true);
}

absl::StatusOr<LightArray> LightArray::Create(LightArrayConfig config) {
  LIVND_RETURN_IF_ERROR(config.Validate());
  return LightArray(std::move(config));
}

std::vector<int32_t> LightArray::ids() const {
  std::vector<int32_t> ids;
  ids.reserve(num_fibers());
  for (const Fiber& fiber : config_.fibers) ids.push_back(fiber.id);
  return ids;
}

std::vector<double> LightArray::IrradianceGains(
    absl::Span<const std::array<double, 3>> points) const {
  const double na = config_.numerical_aperture;
  const double z0 = config_.fiber_radius_um / 1000.0 * kTissueIndex / na;
  std::vector<double> gains;
  gains.reserve(num_fibers() * points.size());
  for (const Fiber& fiber : config_.fibers) {
    for (const std::array<double, 3>& point : points) {
      const double x = (point[0] - fiber.position_um[0]) / 1000.0;
      const double y = (point[1] - fiber.position_um[1]) / 1000.0;
      const double z = std::fabs((point[2] - fiber.position_um[2]) / 1000.0);
      const double spread = std::max((z + z0) * (z + z0), 1e-12);
      const double distance = std::sqrt(x * x + y * y + z * z);
      gains.push_back(na * na / (kTissueIndex * kTissueIndex * spread) *
                      std::exp(-config_.scattering_per_mm * distance) / (4.0 * kPi));
    }
  }
  return gains;
}

std::vector<double> LightArray::PhotonFluxGains(
    absl::Span<const std::array<double, 3>> points) const {
  std::vector<double> gains = IrradianceGains(points);
  const double flux = PhotonFluxPerIrradiance(config_.wavelength_nm);
  for (double& gain : gains) gain *= flux;
  return gains;
}

double PhotonFluxPerIrradiance(double wavelength_nm) {
  return 1.0 / (6.626e-34 * 3e8 / (wavelength_nm * 1e-9) * 1e3);
}

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
