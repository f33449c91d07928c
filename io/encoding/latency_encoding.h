// One pulse on each electrode, as early as its number is large.
#ifndef LIVND_IO_ENCODING_LATENCY_ENCODING_H_
#define LIVND_IO_ENCODING_LATENCY_ENCODING_H_

#include "io/encoding/channel_code.h"
#include "io/encoding/encoding.h"
#include "io/encoding/pulse_slots.h"

namespace livnd::io {

struct LatencyEncodingConfig {
  BiphasicPulseConfig pulse;
  LatencyCode code;

  void Describe(CodingFields& fields) {
    DescribePulse(pulse, fields);
    code.Describe(fields);
  }
};

// value [electrodes], 0 .. 1: a pulse of `amplitude` of max_amplitude_ua at min_ms for 1, later for
// less, none at silent_below or less.
//
// Source: Thorpe, Fize, Marlot, Nature 381 (1996).
// Trap: times lie on a grid of phase_us; values that differ by less than that are one.
class LatencyEncoding final : public Encoding {
 public:
  static constexpr char kName[] = "latency";
  using Config = LatencyEncodingConfig;

  LatencyEncoding(EncodingKey key, const Config& config, const EncodingWindow& window);
  void Encode(absl::Span<const float> values, int64_t tick, absl::Span<double> state,
              sim::Waveform* currents_ua) const override;

 private:
  LatencyCode code_;
  PulseSlots slots_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_ENCODING_LATENCY_ENCODING_H_
