#include "io/encoding/livn_pulse.h"

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "io/encoding/livn_rectangle.h"
#include "io/encoding/pulse_encoding.h"

namespace livnd::io {

void LivnPulseConfig::Describe(CodingFields& fields) {
  fields.Number("width_ms", &width_ms, 1.0, 1e5);
  fields.Number("low", &low, -1e6, 1e6);
  fields.Number("high", &high, -1e6, 1e6);
  fields.Require(high >= low, "high", Exact(high), "low or more");
  fields.Number("ua_per_unit", &ua_per_unit, -1e3, 1e3);
}

LivnPulse::LivnPulse(EncodingKey key, const Config& config, const EncodingWindow& window)
    : Encoding(key, window), config_(config) {
  Refuse(LivnRectangle::Check(window, config.width_ms));
  if (window.duration_ms() < 100.0) {
    Refuse(MakeFieldError("window.num_ticks", Exact(window.num_ticks),
                          absl::StrCat(Exact(100.0 / window.tick_ms), " at least, 100 ms")));
  }
  AddInput("channel", "1", 0.0, static_cast<double>(window.num_electrodes - 1), true);
  AddInput("time_ms", "ms", 0.0, window.duration_ms() - 100.0);
  AddInput("amplitude", "livn's", config.low, config.high);
}

void LivnPulse::Encode(absl::Span<const float> values, int64_t tick, absl::Span<double> /*state*/,
                       sim::Waveform* currents_ua) const {
  LivnRectangle rectangle(window(), config_.width_ms, values[1], tick, currents_ua);
  rectangle.Put(ElectrodeOf(values[0], window().num_electrodes), values[2] * config_.ua_per_unit);
}

}  // namespace livnd::io
