#include "io/encoding/livn_feature.h"

#include "base/field_error.h"
#include "io/encoding/feature_encoding.h"
#include "io/encoding/livn_rectangle.h"

namespace livnd::io {

void LivnFeatureConfig::Describe(CodingFields& fields) {
  fields.Number("width_ms", &width_ms, 1.0, 1e5);
  fields.Number("low", &low, -1e6, 1e6);
  fields.Number("high", &high, -1e6, 1e6);
  fields.Require(high > low, "high", Exact(high), "more than low");
  fields.Number("amplitude", &amplitude, -1e6, 1e6);
  fields.Number("ua_per_unit", &ua_per_unit, -1e3, 1e3);
  fields.Numbers("channels", &channels, 65536, 0.0, 65535.0);
}

LivnFeature::LivnFeature(EncodingKey key, const Config& config, const EncodingWindow& window)
    : Encoding(key, window), config_(config) {
  Refuse(LivnRectangle::Check(window, config.width_ms));
  Refuse(CheckChannels(config.channels, window));
  AddInput("feature", "1", config.low, config.high);
}

void LivnFeature::Encode(absl::Span<const float> values, int64_t tick, absl::Span<double> /*state*/,
                         sim::Waveform* currents_ua) const {
  const double part = (values[0] - config_.low) / (config_.high - config_.low);
  LivnRectangle rectangle(window(), config_.width_ms, part * window().duration_ms(), tick,
                          currents_ua);
  for (const double channel : config_.channels) {
    rectangle.Put(static_cast<int64_t>(channel), config_.amplitude * config_.ua_per_unit);
  }
}

}  // namespace livnd::io
