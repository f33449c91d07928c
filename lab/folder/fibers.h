// Which optical fibres a system is given. Lengths in um. Source: livn 2.0.0 generate_2d.py, `lightarray`.
#ifndef LIVND_LAB_FOLDER_FIBERS_H_
#define LIVND_LAB_FOLDER_FIBERS_H_

#include "absl/status/statusor.h"
#include "io/device/light_array_config.h"
#include "io/json/json_view.h"
#include "io/system/system.h"

namespace livnd::lab {

struct FiberRequest {
  // [[id, x, y], ...] or [[id, x, y, z], ...]; absent: one fibre over the middle of the area.
  const io::JsonView* coordinates = nullptr;
  double height_um = 100.0;  // tips without a z lie this far below z = 0, where electrodes look up
  io::LightArrayConfig optics;  // its fibres are not used
};

// A valid array; or a field error about the place in the coordinates, or about a number of `optics` by its name in
// lightarray.json.
absl::StatusOr<io::LightArrayConfig> MakeFibers(const io::System& system,
                                                const FiberRequest& request);

}  // namespace livnd::lab

#endif  // LIVND_LAB_FOLDER_FIBERS_H_
