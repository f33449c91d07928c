// Electrodes, fibres and their limits.
#ifndef LIVND_SERVER_WIRE_DEVICE_H_
#define LIVND_SERVER_WIRE_DEVICE_H_

#include <string>

#include "absl/status/statusor.h"
#include "io/device/light_array_config.h"
#include "io/device/preset/device_presets.h"
#include "livnd/v1/device.pb.h"

namespace livnd::server {

// A device or fibres for which Validate() holds, or an error about a field of the message, whose path in the request
// is `field`.
absl::StatusOr<io::Device> ParseDevice(const std::string& field, const v1::Device& message);
absl::StatusOr<io::LightArrayConfig> ParseLightArray(const std::string& field,
                                                     const v1::LightArray& message);

// As an `array`, whatever it was made of. ParseDevice gives back the same.
void EncodeDevice(const io::Device& device, v1::Device* message);
void EncodeLightArray(const io::LightArrayConfig& array, v1::LightArray* message);

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_DEVICE_H_
