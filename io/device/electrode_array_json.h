// mea.json: an electrode array as livn stores it.
//
//   {"electrode_coordinates": [[id, x, y, z], ...], "input_radius": um, "output_radius": um,
//    "volume_conductor": null or the five numbers of VolumeConductor by name}
//
// Only the first member is required; the others have the defaults of ElectrodeArrayConfig.

#ifndef LIVND_IO_DEVICE_ELECTRODE_ARRAY_JSON_H_
#define LIVND_IO_DEVICE_ELECTRODE_ARRAY_JSON_H_

#include "absl/status/statusor.h"
#include "io/device/electrode_array_config.h"
#include "io/json/json_file.h"
#include "io/json/json_view.h"

namespace livnd::io {

// Returns a valid config (Validate() holds) or InvalidArgument with the place in the document.
absl::StatusOr<ElectrodeArrayConfig> ParseElectrodeArray(const JsonView& document);

// The four members, the conductor written out; ParseElectrodeArray gives back the same config.
Json ElectrodeArrayToJson(const ElectrodeArrayConfig& config);

}  // namespace livnd::io

#endif  // LIVND_IO_DEVICE_ELECTRODE_ARRAY_JSON_H_
