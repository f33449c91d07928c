#include "io/encoding/population_encoding.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"

namespace livnd::io {

void PopulationEncodingConfig::Describe(CodingFields& fields) {
  fields.Whole("num_fields", &num_fields, 2, 65536);
  fields.Number("low", &low, -1e6, 1e6);
  fields.Number("high", &high, -1e6, 1e6);
  fields.Require(high > low, "high", Exact(high), "more than low");
  fields.Number("width", &width, 1e-3, 1e3);
  fields.Number("silent_below", &silent_below, 0.0, 1.0);
  fields.Word("code", &code, {"amplitude", "latency", "rate"});
  DescribePulse(pulse, fields);
  fields.Number("max_hz", &max_hz, 0.0, 1e6);
}

PopulationEncoding::PopulationEncoding(EncodingKey key, const Config& config,
                                       const EncodingWindow& window)
    : Encoding(key, window), config_(config), slots_(config.pulse, window) {
  latency_.silent_below = config.silent_below;
  rate_.max_hz = config.max_hz;
  Refuse(slots_.Check());
  if (config.code == Config::kRate) Refuse(rate_.Check(slots_));
  if (config.num_fields > window.num_electrodes) {
    Refuse(MakeFieldError("num_fields", Exact(config.num_fields),
                          absl::StrCat("2 .. ", window.num_electrodes, ", the electrodes")));
  }
  layout().AddAny(config.code == Config::kRate ? static_cast<size_t>(window.num_electrodes) : 0);
  AddInputs("value", window.num_electrodes / config.num_fields, config.low, config.high);
}

double PopulationEncoding::Answer(double value, int64_t field) const {
  const double step = (config_.high - config_.low) / static_cast<double>(config_.num_fields - 1);
  const double preferred = config_.low + static_cast<double>(field) * step;
  const double distance = (value - preferred) / (config_.width * step);
  return std::exp(-distance * distance / 2.0);
}

void PopulationEncoding::Encode(absl::Span<const float> values, int64_t tick,
                                absl::Span<double> state, sim::Waveform* currents_ua) const {
  slots_.Clear(tick, currents_ua);
  for (size_t i = 0; i < values.size(); ++i) {
    for (int64_t field = 0; field < config_.num_fields; ++field) {
      const int64_t electrode = static_cast<int64_t>(i) * config_.num_fields + field;
      double answer = Answer(values[i], field);
      if (answer <= config_.silent_below) answer = 0.0;
      switch (config_.code) {
        case Config::kAmplitude:
          slots_.Put(electrode, 0, answer, currents_ua);
          break;
        case Config::kLatency:
          latency_.Put(answer, electrode, slots_, currents_ua);
          break;
        case Config::kRate:
          rate_.Put(answer, electrode, slots_, &state[static_cast<size_t>(electrode)], currents_ua);
          break;
      }
    }
  }
}

}  // namespace livnd::io
