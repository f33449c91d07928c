#include "io/encoding/latency_encoding.h"

namespace livnd::io {

LatencyEncoding::LatencyEncoding(EncodingKey key, const Config& config,
                                 const EncodingWindow& window)
    : Encoding(key, window), code_(config.code), slots_(config.pulse, window) {
  Refuse(slots_.Check());
  Refuse(code_.Check(slots_));
  AddInputs("value", window.num_electrodes, 0.0, 1.0);
}

void LatencyEncoding::Encode(absl::Span<const float> values, int64_t tick,
                             absl::Span<double> /*state*/, sim::Waveform* currents_ua) const {
  slots_.Clear(tick, currents_ua);
  for (size_t e = 0; e < values.size(); ++e) {
    code_.Put(values[e], static_cast<int64_t>(e), slots_, currents_ua);
  }
}

}  // namespace livnd::io
