// A train of pulses on each electrode, as fast as its number.
#ifndef LIVND_IO_ENCODING_RATE_ENCODING_H_
#define LIVND_IO_ENCODING_RATE_ENCODING_H_

#include "io/encoding/channel_code.h"
#include "io/encoding/encoding.h"
#include "io/encoding/pulse_slots.h"

namespace livnd::io {

struct RateEncodingConfig {
  BiphasicPulseConfig pulse;
  RateCode code;

  void Describe(CodingFields& fields) {
    DescribePulse(pulse, fields);
    code.Describe(fields);
  }
};

// rate [electrodes], 0 .. 1: a regular train of min_hz .. max_hz, whose pulses are `amplitude` of
// max_amplitude_ua. Trains go on from step to step.
//
// Source: rate coding, Adrian, J. Physiol. 61 (1926); regular trains, so that a number always means
// as many pulses.
// Traps: a rate below one pulse a step cannot be seen in one step; electrodes with equal numbers
// fire at the same times; the first pulse comes after one interval.
class RateEncoding final : public Encoding {
 public:
  static constexpr char kName[] = "rate";
  using Config = RateEncodingConfig;

  RateEncoding(EncodingKey key, const Config& config, const EncodingWindow& window);
  void Encode(absl::Span<const float> values, int64_t tick, absl::Span<double> state,
              sim::Waveform* currents_ua) const override;

 private:
  RateCode code_;
  PulseSlots slots_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_ENCODING_RATE_ENCODING_H_
