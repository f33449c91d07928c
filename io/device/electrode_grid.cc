#include "io/device/electrode_grid.h"

#include <cmath>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"

namespace livnd::io {
namespace {

constexpr double kMaxElectrodes = 65536;

// The largest power of two that is at most `count`.
int RoundDownToPowerOfTwo(double count) {
  int power = 1;
  while (2.0 * power <= count && power < kMaxElectrodes) power *= 2;
  return power;
}

}  // namespace

absl::StatusOr<std::vector<Electrode>> MakeElectrodeGrid(const ElectrodeGrid& grid) {
  const bool finite = std::isfinite(grid.pitch_um) && std::isfinite(grid.offset_x_um) &&
                      std::isfinite(grid.offset_y_um) && std::isfinite(grid.z_um);
  if (!finite || grid.pitch_um <= 0) {
    return MakeFieldError("pitch_um", Exact(grid.pitch_um),
                          "a finite number > 0, as offsets and z are finite (um)");
  }
  if (grid.num_x < 1 || grid.num_y < 1 ||
      static_cast<double>(grid.num_x) * grid.num_y > kMaxElectrodes) {
    return MakeFieldError("num_x", absl::StrCat(grid.num_x, ", with num_y = ", grid.num_y),
                          absl::StrCat("1 to ", kMaxElectrodes, " electrodes in all"));
  }
  std::vector<Electrode> electrodes;
  for (int row = 0; row < grid.num_y; ++row) {
    for (int column = 0; column < grid.num_x; ++column) {
      electrodes.push_back({static_cast<int32_t>(electrodes.size()),
                            {grid.offset_x_um + column * grid.pitch_um,
                             grid.offset_y_um + row * grid.pitch_um, grid.z_um}});
    }
  }
  return electrodes;
}

absl::StatusOr<std::vector<Electrode>> MakeElectrodeGridForArea(double pitch_um,
                                                                const std::array<double, 2>& min_um,
                                                                const std::array<double, 2>& max_um,
                                                                double z_um) {
  if (!(pitch_um > 0)) {
    return MakeFieldError("pitch_um", Exact(pitch_um), "a number > 0 (um)");
  }
  ElectrodeGrid grid;
  grid.pitch_um = pitch_um;
  grid.z_um = z_um;
  int* const counts[] = {&grid.num_x, &grid.num_y};
  double* const offsets[] = {&grid.offset_x_um, &grid.offset_y_um};
  for (int axis = 0; axis < 2; ++axis) {
    const double extent_um = max_um[axis] - min_um[axis];
    if (!(extent_um >= 0) || !std::isfinite(extent_um)) {
      return MakeFieldError(
          absl::StrCat("max_um[", axis, "]"), Exact(max_um[axis]),
          absl::StrCat("a finite number not below min_um = ", Exact(min_um[axis])));
    }
    *counts[axis] = RoundDownToPowerOfTwo(std::floor(extent_um / pitch_um) + 1);
    *offsets[axis] = min_um[axis] + (extent_um - (*counts[axis] - 1) * pitch_um) / 2;
  }
  return MakeElectrodeGrid(grid);
}

}  // namespace livnd::io
