// The feature of livn's removed reinforcement-learning benchmark, as it was.
#ifndef LIVND_IO_ENCODING_LIVN_FEATURE_H_
#define LIVND_IO_ENCODING_LIVN_FEATURE_H_

#include <vector>

#include "io/encoding/encoding.h"

namespace livnd::io {

struct LivnFeatureConfig {
  double width_ms = 20.0;
  double low = -2.0;
  double high = 2.0;
  double amplitude = 750.0;
  double ua_per_unit = 0.01;
  std::vector<double> channels = {1.0, 2.0, 3.0};  // none or one twice, as livn takes them

  void Describe(CodingFields& fields);
};

// feature, low .. high: a pulse as livn_pulse's on each of `channels`, at (feature - low) / (high -
// low) of the step, cut to whole ms.
//
// Source: FeatureEncoder of livn's reinforcement-learning benchmark, before 1.0.
// Traps: those of livn_pulse; the largest feature gives no pulse, and those near it a short one,
// since the step ends.
class LivnFeature final : public Encoding {
 public:
  static constexpr char kName[] = "livn_feature";
  using Config = LivnFeatureConfig;

  LivnFeature(EncodingKey key, const Config& config, const EncodingWindow& window);
  void Encode(absl::Span<const float> values, int64_t tick, absl::Span<double> state,
              sim::Waveform* currents_ua) const override;

 private:
  Config config_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_ENCODING_LIVN_FEATURE_H_
