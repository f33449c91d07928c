// Which electrodes a system is given: a grid over its area, places, or an array that people own.
//
// Lengths in um. Sources: livn 2.0.0 generate_2d.py and generate.py, `mea`.
#ifndef LIVND_LAB_FOLDER_ELECTRODES_H_
#define LIVND_LAB_FOLDER_ELECTRODES_H_

#include <array>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "io/device/electrode_array_config.h"
#include "io/json/json_file.h"
#include "io/json/json_view.h"
#include "io/system/system.h"

namespace livnd::lab {

// At most one of the first three is there. None: for a system on a plane a grid 50 um apart, for one of layers livn's
// 4 x 4 electrodes 1 mm apart.
struct ElectrodeRequest {
  // The largest grid of this pitch with a power of two of electrodes on each axis, in the middle of the area.
  std::optional<double> pitch_um;
  // [[id, x, y], ...] or [[id, x, y, z], ...]
  const io::JsonView* coordinates = nullptr;
  // What io/device/preset/device_text.h reads, and what errors call it. Without a centre of its own a preset lies in the
  // middle of the area.
  const io::Json* device = nullptr;
  std::string device_name;

  std::optional<double>
      z_um;  // where the request says no height; absent: the middle of the system's layers
  // Absent: 50 and 80 um, or as the device says; for livn's 4 x 4 electrodes 250 um both.
  std::optional<double> input_radius_um, output_radius_um;
};

// Where the cells are: what graph.json says of the plane, or else of the layers, or else the cells' own places.
struct Extent {
  std::array<double, 3> min_um = {0, 0, 0};
  std::array<double, 3> max_um = {0, 0, 0};

  double Middle(size_t axis) const { return (min_um[axis] + max_um[axis]) / 2; }
};
Extent ExtentOf(const io::System& system);

// A valid array; or a field error about the place in the device or the coordinates, or about "pitch" where it comes to
// more electrodes than an array may have.
absl::StatusOr<io::ElectrodeArrayConfig> MakeElectrodes(const io::System& system,
                                                        const ElectrodeRequest& request);

}  // namespace livnd::lab

#endif  // LIVND_LAB_FOLDER_ELECTRODES_H_
