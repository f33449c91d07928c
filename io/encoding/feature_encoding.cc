#include "io/encoding/feature_encoding.h"

#include <cmath>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"

namespace livnd::io {

absl::Status CheckChannels(const std::vector<double>& channels, const EncodingWindow& window) {
  for (size_t i = 0; i < channels.size(); ++i) {
    if (channels[i] == std::floor(channels[i]) &&
        channels[i] < static_cast<double>(window.num_electrodes)) {
      continue;
    }
    return MakeFieldError(absl::StrCat("channels[", i, "]"), Exact(channels[i]),
                          absl::StrCat("an electrode, 0 .. ", window.num_electrodes - 1));
  }
  return absl::OkStatus();
}

void FeatureEncodingConfig::Describe(CodingFields& fields) {
  DescribePulse(pulse, fields);
  fields.Number("low", &low, -1e6, 1e6);
  fields.Number("high", &high, -1e6, 1e6);
  fields.Require(high > low, "high", Exact(high), "more than low");
  fields.Number("amplitude", &amplitude, -1.0, 1.0);
  fields.Numbers("channels", &channels, 65536, 0.0, 65535.0);
  fields.Require(!channels.empty(), "channels", "0 numbers", "one at least");
  absl::flat_hash_set<double> seen;
  for (size_t i = 0; i < channels.size(); ++i) {
    fields.Require(seen.insert(channels[i]).second, absl::StrCat("channels[", i, "]"),
                   absl::StrCat(Exact(channels[i]), " for the second time"), "each channel once");
  }
}

FeatureEncoding::FeatureEncoding(EncodingKey key, const Config& config,
                                 const EncodingWindow& window)
    : Encoding(key, window), config_(config), slots_(config.pulse, window) {
  Refuse(slots_.Check());
  Refuse(CheckChannels(config.channels, window));
  AddInput("feature", "1", config.low, config.high);
}

void FeatureEncoding::Encode(absl::Span<const float> values, int64_t tick,
                             absl::Span<double> /*state*/, sim::Waveform* currents_ua) const {
  slots_.Clear(tick, currents_ua);
  const double part = (values[0] - config_.low) / (config_.high - config_.low);
  const double last_ms = static_cast<double>(slots_.last_onset()) * slots_.slot_ms();
  for (const double channel : config_.channels) {
    slots_.Put(static_cast<int64_t>(channel), slots_.OnsetAt(part * last_ms), config_.amplitude,
               currents_ua);
  }
}

}  // namespace livnd::io
