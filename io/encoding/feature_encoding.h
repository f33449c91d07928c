// One number as the time of a pulse on some electrodes.
#ifndef LIVND_IO_ENCODING_FEATURE_ENCODING_H_
#define LIVND_IO_ENCODING_FEATURE_ENCODING_H_

#include <vector>

#include "io/encoding/encoding.h"
#include "io/encoding/pulse_slots.h"

namespace livnd::io {

struct FeatureEncodingConfig {
  BiphasicPulseConfig pulse;
  double low = -2.0;
  double high = 2.0;
  double amplitude = 1.0;
  std::vector<double> channels = {1.0, 2.0, 3.0};  // one at least, each once

  void Describe(CodingFields& fields);
};

// feature, low .. high: a pulse on each of `channels` at once, at the start of the step for low and
// as late as it fits for high, in a straight line between; `amplitude` of max_amplitude_ua.
//
// Source: FeatureEncoder of livn's removed reinforcement-learning example, with balanced pulses;
// livn_feature is that one itself.
class FeatureEncoding final : public Encoding {
 public:
  static constexpr char kName[] = "feature";
  using Config = FeatureEncodingConfig;

  FeatureEncoding(EncodingKey key, const Config& config, const EncodingWindow& window);
  void Encode(absl::Span<const float> values, int64_t tick, absl::Span<double> state,
              sim::Waveform* currents_ua) const override;

 private:
  Config config_;
  PulseSlots slots_;
};

// An error about channels that are no electrodes of the window.
absl::Status CheckChannels(const std::vector<double>& channels, const EncodingWindow& window);

}  // namespace livnd::io

#endif  // LIVND_IO_ENCODING_FEATURE_ENCODING_H_
