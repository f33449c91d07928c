#include "io/device/light_array.h"

#include <algorithm>
#include <cmath>

#include "base/status_macros.h"

namespace livnd::io {
namespace {

constexpr double kPi = 3.141592653589793;

}  // namespace

absl::StatusOr<LightArray> LightArray::Create(LightArrayConfig config) {
  LIVND_RETURN_IF_ERROR(config.Validate());
  return LightArray(std::move(config));
}

LightArray::LightArray(LightArrayConfig config) : config_(std::move(config)) {
  for (size_t i = 0; i < config_.fibers.size(); ++i) {
    channel_of_id_.emplace(config_.fibers[i].id, static_cast<int>(i));
  }
}

int LightArray::Find(int32_t id) const {
  const auto found = channel_of_id_.find(id);
  return found == channel_of_id_.end() ? -1 : found->second;
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

}  // namespace livnd::io
