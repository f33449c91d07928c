// One pulse, wherever, whenever and as strong as asked for.
#ifndef LIVND_IO_ENCODING_PULSE_ENCODING_H_
#define LIVND_IO_ENCODING_PULSE_ENCODING_H_

#include "io/encoding/encoding.h"
#include "io/encoding/pulse_slots.h"

namespace livnd::io {

struct PulseEncodingConfig {
  BiphasicPulseConfig pulse;

  void Describe(CodingFields& fields) { DescribePulse(pulse, fields); }
};

// channel, 0 .. electrodes - 1, to the nearest one (halves to the even one); time_ms, 0 .. the last
// time at which a pulse fits; amplitude, -1 .. 1, of max_amplitude_ua, positive cathodic first.
//
// Source: PulseEncoding of livn's removed reinforcement-learning example, with balanced pulses;
// livn_pulse is that one itself.
// Trap: a channel is a name and not a quantity: channels next to each other in number need not be
// so in the dish.
class PulseEncoding final : public Encoding {
 public:
  static constexpr char kName[] = "pulse";
  using Config = PulseEncodingConfig;

  PulseEncoding(EncodingKey key, const Config& config, const EncodingWindow& window);
  void Encode(absl::Span<const float> values, int64_t tick, absl::Span<double> state,
              sim::Waveform* currents_ua) const override;

 private:
  PulseSlots slots_;
};

// The electrode that a channel's number means.
int64_t ElectrodeOf(double channel, int64_t num_electrodes);

}  // namespace livnd::io

#endif  // LIVND_IO_ENCODING_PULSE_ENCODING_H_
