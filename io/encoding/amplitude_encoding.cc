#include "io/encoding/amplitude_encoding.h"

namespace livnd::io {

AmplitudeEncoding::AmplitudeEncoding(EncodingKey key, const Config& config,
                                     const EncodingWindow& window)
    : Encoding(key, window), slots_(config.pulse, window) {
  Refuse(slots_.Check());
  AddInputs("amplitude", window.num_electrodes, -1.0, 1.0);
}

void AmplitudeEncoding::Encode(absl::Span<const float> values, int64_t tick,
                               absl::Span<double> /*state*/, sim::Waveform* currents_ua) const {
  slots_.Clear(tick, currents_ua);
  for (size_t e = 0; e < values.size(); ++e) {
    slots_.Put(static_cast<int64_t>(e), 0, values[e], currents_ua);
  }
  currents_ua->samples.resize(2 * values.size());
}

}  // namespace livnd::io
