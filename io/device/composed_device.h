// One device that stimulates and another one that listens: fibres over an array of electrodes, say.
#ifndef LIVND_IO_DEVICE_COMPOSED_DEVICE_H_
#define LIVND_IO_DEVICE_COMPOSED_DEVICE_H_

#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "io/device/electrode_array.h"
#include "io/device/light_array.h"

namespace livnd::io {

// Commands have the channels, ids and units of the input device, recordings those of the output device (livn's
// ComposedIO sizes commands by the output device). Immutable and thread-safe.
class ComposedDevice {
 public:
  using Input = std::variant<ElectrodeArray, LightArray>;

  ComposedDevice(Input input, ElectrodeArray output)
      : input_(std::move(input)), output_(std::move(output)) {}

  const Input& input() const { return input_; }
  const ElectrodeArray& output() const { return output_; }

  std::vector<int32_t> input_ids() const {
    return std::visit([](const auto& device) { return device.ids(); }, input_);
  }
  // "uA" or "mW": what a command of 1 is.
  absl::string_view input_unit() const {
    return std::holds_alternative<ElectrodeArray>(input_) ? "uA" : "mW";
  }
  // [channel][point] of what a command of 1 makes: mV of the field, or mW/mm2 of light.
  std::vector<double> InputGains(absl::Span<const Point> points) const {
    if (const auto* electrodes = std::get_if<ElectrodeArray>(&input_)) {
      return electrodes->StimulationGains(points);
    }
    return std::get<LightArray>(input_).IrradianceGains(points);
  }

 private:
  Input input_;
  ElectrodeArray output_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DEVICE_COMPOSED_DEVICE_H_
