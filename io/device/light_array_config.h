// What a user says about optical fibres over a culture (lightarray.json). Plain values; LightArray::Create validates
// them.
#ifndef LIVND_IO_DEVICE_LIGHT_ARRAY_CONFIG_H_
#define LIVND_IO_DEVICE_LIGHT_ARRAY_CONFIG_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"

namespace livnd::io {

// The index of refraction of tissue.
inline constexpr double kTissueIndex = 1.36;

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

  // The error names the place in lightarray.json unless ids are unique, places as CheckPosition has them, there are 1 to
  // 65536 fibres, the aperture is > 0 and at most 1.36 (the tissue's index of refraction), radius and wavelength are > 0, and the
  // scattering is >= 0.
  absl::Status Validate() const;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DEVICE_LIGHT_ARRAY_CONFIG_H_
