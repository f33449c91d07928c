// One pulse on each electrode, as strong as its number.
#ifndef LIVND_IO_ENCODING_AMPLITUDE_ENCODING_H_
#define LIVND_IO_ENCODING_AMPLITUDE_ENCODING_H_

#include "io/encoding/encoding.h"
#include "io/encoding/pulse_slots.h"

namespace livnd::io {

struct AmplitudeEncodingConfig {
  BiphasicPulseConfig pulse;

  void Describe(CodingFields& fields) { DescribePulse(pulse, fields); }
};

// amplitude [electrodes], -1 .. 1: a biphasic pulse at the start of the step, of that part of
// max_amplitude_ua; positive is cathodic first, 0 is none.
//
// Trap: cells answer to charge near a threshold, so that halves of an amplitude are not halves of
// an effect.
class AmplitudeEncoding final : public Encoding {
 public:
  static constexpr char kName[] = "amplitude";
  using Config = AmplitudeEncodingConfig;

  AmplitudeEncoding(EncodingKey key, const Config& config, const EncodingWindow& window);
  void Encode(absl::Span<const float> values, int64_t tick, absl::Span<double> state,
              sim::Waveform* currents_ua) const override;

 private:
  PulseSlots slots_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_ENCODING_AMPLITUDE_ENCODING_H_
