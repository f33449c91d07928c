// Optical fibres over a culture: how the power out of each becomes irradiance at points of it.
#ifndef LIVND_IO_DEVICE_LIGHT_ARRAY_H_
#define LIVND_IO_DEVICE_LIGHT_ARRAY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "io/device/light_array_config.h"

namespace livnd::io {

// Immutable and thread-safe.
class LightArray {
 public:
  // InvalidArgument unless config.Validate() holds.
  static absl::StatusOr<LightArray> Create(LightArrayConfig config);

  const LightArrayConfig& config() const { return config_; }
  size_t num_fibers() const { return config_.fibers.size(); }
  // Ids in declared order.
  std::vector<int32_t> ids() const;
  // Channel of a fibre, or -1.
  int Find(int32_t id) const;

  // [fibre][point] mW/mm2 per mW at points (x, y, z) in um: livn 2.0.0 io.py, LightArray.cell_induction, in mm
  //   NA^2 / (n^2 (|dz| + z0)^2) exp(-mu d) / (4 pi),  z0 = radius n / NA,  n = 1.36,  d the distance to the tip.
  std::vector<double> IrradianceGains(absl::Span<const std::array<double, 3>> points) const;

  // The same in photons/s/mm2 per mW, which is what an opsin takes, at the array's own wavelength.
  std::vector<double> PhotonFluxGains(absl::Span<const std::array<double, 3>> points) const;

 private:
  explicit LightArray(LightArrayConfig config);

  LightArrayConfig config_;
  absl::flat_hash_map<int32_t, int> channel_of_id_;
};

// photons/s/mm2 of 1 mW/mm2, with livn's rounded constants (livn 2.0.0 stimulus.py, convert_to).
double PhotonFluxPerIrradiance(double wavelength_nm);

}  // namespace livnd::io

#endif  // LIVND_IO_DEVICE_LIGHT_ARRAY_H_
