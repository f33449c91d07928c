// A device as YAML or JSON text: an array that people own, or one of your own, and its limits.
//
//   preset: mcs_60            # or max_one, cl1; or array: {what mea.json says}
//   center_um: [800, 1600, 0]
//   routed: [110, 111]        # of max_one: ids; or
//   block: {first_column: 90, first_row: 40, num_columns: 32, num_rows: 32, stride: 2}
//   pitch_um: 200             # of cl1
//   limits:                   # in place of the preset's, one by one; null takes one away
//     max_amplitude_ua: 50
#ifndef LIVND_IO_DEVICE_PRESET_DEVICE_TEXT_H_
#define LIVND_IO_DEVICE_PRESET_DEVICE_TEXT_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "io/device/electrode_array_config.h"
#include "io/device/preset/device_presets.h"
#include "io/json/json_view.h"

namespace livnd::io {

// A device for which Validate() holds, or a field error with the place in the document.
absl::StatusOr<Device> ParseDevice(const JsonView& document);

// The same of an array that is known already: the document has limits at most.
absl::StatusOr<Device> ParseDeviceOf(ElectrodeArrayConfig array, const JsonView& document);

// The same of YAML text, which JSON is too; `name` names it in errors.
absl::StatusOr<Device> ParseDeviceText(absl::string_view name, absl::string_view text);

}  // namespace livnd::io

#endif  // LIVND_IO_DEVICE_PRESET_DEVICE_TEXT_H_
