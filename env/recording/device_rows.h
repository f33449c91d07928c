// Where the electrodes and light fibres of a recorded culture are.
#ifndef LIVND_ENV_RECORDING_DEVICE_ROWS_H_
#define LIVND_ENV_RECORDING_DEVICE_ROWS_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "io/device/electrode_array_config.h"
#include "io/device/light_array_config.h"
#include "io/recording/stream.h"

namespace livnd::env {

// Streams of io::PlacesStream: "electrodes", with the array's input_radius_um and output_radius_um, and
// "fibers", with numerical_aperture, fiber_radius_um, wavelength_nm and scattering_per_mm. Immutable and
// thread-safe.
class DeviceRows {
 public:
  DeviceRows() = default;
  // Appends the streams to others; none of a device that is null.
  DeviceRows(const io::ElectrodeArrayConfig* electrodes, const io::LightArrayConfig* fibers,
             std::vector<io::StreamSpec>* streams);

  // All rows that the streams have, to be written once: appended to rows[stream], in declared order.
  void AddPlaces(absl::Span<std::string> rows) const;

 private:
  struct Places {
    int stream;
    std::string rows;
  };
  std::vector<Places> places_;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_RECORDING_DEVICE_ROWS_H_
