// The pulse of livn's removed reinforcement-learning example, as it was.
#ifndef LIVND_IO_ENCODING_LIVN_PULSE_H_
#define LIVND_IO_ENCODING_LIVN_PULSE_H_

#include "io/encoding/encoding.h"

namespace livnd::io {

struct LivnPulseConfig {
  double width_ms = 20.0;
  double low = 250.0;
  double high = 750.0;
  double ua_per_unit = 0.01;

  void Describe(CodingFields& fields);
};

// channel, 0 .. electrodes - 1, to the nearest one; time_ms, 0 .. duration - 100, cut to whole ms;
// amplitude, low .. high: one rectangular pulse of one sign, width_ms long, on a grid of 1 ms.
//
// Source: livn 0.1.0, gym.py: PulseEncoding.
// Traps: charge is not balanced, which harms electrodes and tissue, so that no device's limits
// would take it. livn's amplitudes were in units of its model at that time, not in uA; ua_per_unit
// says what one is here.
class LivnPulse final : public Encoding {
 public:
  static constexpr char kName[] = "livn_pulse";
  using Config = LivnPulseConfig;

  LivnPulse(EncodingKey key, const Config& config, const EncodingWindow& window);
  void Encode(absl::Span<const float> values, int64_t tick, absl::Span<double> state,
              sim::Waveform* currents_ua) const override;

 private:
  Config config_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_ENCODING_LIVN_PULSE_H_
