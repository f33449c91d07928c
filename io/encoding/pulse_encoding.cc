#include "io/encoding/pulse_encoding.h"

#include <algorithm>
#include <cmath>

namespace livnd::io {

int64_t ElectrodeOf(double channel, int64_t num_electrodes) {
  // To even, as numpy.round.
  const double nearest = std::nearbyint(channel);
  return static_cast<int64_t>(std::clamp(nearest, 0.0, static_cast<double>(num_electrodes - 1)));
}

PulseEncoding::PulseEncoding(EncodingKey key, const Config& config, const EncodingWindow& window)
    : Encoding(key, window), slots_(config.pulse, window) {
  Refuse(slots_.Check());
  AddInput("channel", "1", 0.0, static_cast<double>(window.num_electrodes - 1), true);
  AddInput("time_ms", "ms", 0.0, static_cast<double>(slots_.last_onset()) * slots_.slot_ms());
  AddInput("amplitude", "1", -1.0, 1.0);
}

void PulseEncoding::Encode(absl::Span<const float> values, int64_t tick,
                           absl::Span<double> /*state*/, sim::Waveform* currents_ua) const {
  slots_.Clear(tick, currents_ua);
  slots_.Put(ElectrodeOf(values[0], window().num_electrodes), slots_.OnsetAt(values[1]), values[2],
             currents_ua);
}

}  // namespace livnd::io
