// Optical fibres over a culture: how the power out of each becomes irradiance at points of it.
#ifndef LIVND_IO_DEVICE_LIGHT_ARRAY_H_
#define LIVND_IO_DEVICE_LIGHT_ARRAY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "io/json/json_file.h"
#include "io/json/json_view.h"

namespace livnd::io {

struct Fiber {
  int32_t id = 0;
  std::array<double, 3> position_um = {0, 0, 0};  // of its tip; it points along z
};

// What lightarray.json says.
struct LightArrayConfig {
  std::vector<Fiber> fibers;  // in declared order, which is the channel order everywhere
  double numerical_aperture = 0.37;
  double fiber_radius_um = 100.0;
  double wavelength_nm = 473.0;
  double scattering_per_mm = 11.2;

  // The error names the place in lightarray.json unless ids are unique, places finite, there are 1 to 65536 fibres,
  // the aperture is > 0 and at most 1.36 (the tissue's index of refraction), radius and wavelength are > 0, and the
  // scattering is >= 0.
  absl::Status Validate() const;
};

// Immutable and thread-safe.
class LightArray {
 public:
  // InvalidArgument unless config.Validate() holds.
  static absl::StatusOr<LightArray> Create(LightArrayConfig config);

  const LightArrayConfig& config() const { return config_; }
  size_t num_fibers() const { return config_.fibers.size(); }
  // Ids in declared order.
  std::vector<int32_t> ids() const;

  // [fibre][point] mW/mm2 per mW at points (x, y, z) in um: livn 2.0.0 io.py, LightArray.cell_induction, in mm
  //   NA^2 / (n^2 (|dz| + z0)^2) exp(-mu d) / (4 pi),  z0 = radius n / NA,  n = 1.36,  d the distance to the tip.
  std::vector<double> IrradianceGains(absl::Span<const std::array<double, 3>> points) const;

  // The same in photons/s/mm2 per mW, which is what an opsin takes, at the array's own wavelength.
  std::vector<double> PhotonFluxGains(absl::Span<const std::array<double, 3>> points) const;

 private:
  explicit LightArray(LightArrayConfig config) : config_(std::move(config)) {}

  LightArrayConfig config_;
};

// photons/s/mm2 of 1 mW/mm2, with livn's rounded constants (livn 2.0.0 stimulus.py, convert_to).
double PhotonFluxPerIrradiance(double wavelength_nm);

// lightarray.json as livn stores it:
//   {"fiber_coordinates": [[id, x, y, z], ...], "numerical_aperture": 0.37, "fiber_radius_um": 100,
//    "wavelength_nm": 473, "scattering_coefficient": 11.2}
// Only the first member is required. Returns a valid config or a field error with the place in the document.
absl::StatusOr<LightArrayConfig> ParseLightArray(const JsonView& document);
// The five members; ParseLightArray gives back the same config.
Json LightArrayToJson(const LightArrayConfig& config);

}  // namespace livnd::io

#endif  // LIVND_IO_DEVICE_LIGHT_ARRAY_H_
