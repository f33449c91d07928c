// Regular electrode layouts, as livn's helpers make them. Ids count from 0, x runs fastest.

#ifndef LIVND_IO_DEVICE_ELECTRODE_GRID_H_
#define LIVND_IO_DEVICE_ELECTRODE_GRID_H_

#include <array>
#include <vector>

#include "absl/status/statusor.h"
#include "io/device/electrode_array_config.h"

namespace livnd::io {

// The default is livn's 4 x 4 array of 1 mm pitch.
struct ElectrodeGrid {
  double pitch_um = 1000.0;
  int num_x = 4;
  int num_y = 4;
  double offset_x_um = 500.0;
  double offset_y_um = 500.0;
  double z_um = 175.0;
};

// InvalidArgument unless the pitch is > 0, the counts >= 1 and the array has at most 65536.
absl::StatusOr<std::vector<Electrode>> MakeElectrodeGrid(const ElectrodeGrid& grid = {});

// A grid centred in an area. On each axis floor(extent / pitch) + 1 electrodes, rounded down to
// a power of two. InvalidArgument unless pitch > 0 and the area's minimum <= maximum.
absl::StatusOr<std::vector<Electrode>> MakeElectrodeGridForArea(double pitch_um,
                                                                const std::array<double, 2>& min_um,
                                                                const std::array<double, 2>& max_um,
                                                                double z_um = 0.0);

}  // namespace livnd::io

#endif  // LIVND_IO_DEVICE_ELECTRODE_GRID_H_
