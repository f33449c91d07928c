#include "io/decoding/potential/lfp_bands.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "io/decoding/potential/butterworth.h"
#include "io/decoding/potential/spectrum.h"

namespace livnd::io {
namespace {

// Operations of all transforms: some seconds.
constexpr double kMaxWork = 8e9;

}  // namespace

void LfpBandsConfig::Describe(CodingFields& fields) {
  fields.Numbers("channels", &channels, 65536, 0.0, 1048575.0);
  fields.Number("downsample_hz", &downsample_hz, 1e-3, 1e9);
  fields.Number("lowpass_hz", &lowpass_hz, -1.0, 1e9);
  fields.Whole("lowpass_order", &lowpass_order, 1, 8);
  fields.Whole("segment", &segment, 8, 1 << 16);
  fields.Whole("overlap", &overlap, -1, segment - 1);
  fields.Numbers("low_hz", &low_hz, 64, 0.0, 1e9);
  fields.Numbers("high_hz", &high_hz, 64, 0.0, 1e9);
  fields.Require(low_hz.size() == high_hz.size(), "high_hz",
                 absl::StrCat(high_hz.size(), " numbers"),
                 absl::StrCat(low_hz.size(), ", one for each of low_hz"));
}

LfpBands::LfpBands(DecodingKey key, const Config& config, const DecodingWindow& window)
    : Decoding(key, window),
      config_(config),
      rate_hz_(1e3 / (static_cast<double>(window.sample_ticks) * window.tick_ms)) {
  for (size_t i = 0; i < config.channels.size(); ++i) {
    const double unit = config.channels[i];
    if (unit == std::floor(unit) && unit < static_cast<double>(num_units())) continue;
    Refuse(MakeFieldError(absl::StrCat("channels[", i, "]"), Exact(unit),
                          absl::StrCat("a unit, 0 .. ", num_units() - 1)));
  }
  every_ = static_cast<int64_t>(std::clamp(WholeBelow(rate_hz_ / config.downsample_hz), 1.0, 1e15));
  if (config.lowpass_hz < 0.0) config_.lowpass_hz = every_ > 1 ? 0.4 * config.downsample_hz : 0.0;
  is_filtered_ = config_.lowpass_hz > 0.0 && config_.lowpass_hz < rate_hz_ / 2.0;
  const int64_t num_samples = window.num_samples();
  const int64_t num_mirrored = 3 * (config.lowpass_order + 1);
  if (is_filtered_ && num_samples <= num_mirrored) {
    Refuse(MakeFieldError(
        "lowpass_hz", Exact(config_.lowpass_hz),
        absl::StrCat("0, no filter, with ", num_samples, " samples: it takes ", num_mirrored + 1)));
  }
  if (is_filtered_ && config_.lowpass_hz < rate_hz_ * 5e-4) {
    Refuse(MakeFieldError("lowpass_hz", Exact(config_.lowpass_hz),
                          absl::StrCat(Exact(rate_hz_ * 5e-4), " at least, of the rate of ",
                                       Exact(rate_hz_), " Hz")));
  }
  const int64_t num_left = (num_samples + every_ - 1) / every_;
  segment_ = static_cast<size_t>(std::min(config.segment, num_left));
  const int64_t overlap = config.overlap < 0 ? config.segment / 2 : config.overlap;
  overlap_ = static_cast<size_t>(std::min(overlap, num_left / 2));
  const double num_segments =
      static_cast<double>(num_left) / static_cast<double>(segment_ - overlap_);
  if (num_segments * TransformWork(segment_) > kMaxWork) {
    Refuse(MakeFieldError("segment", absl::StrCat(config.segment),
                          "one with small prime factors, or less overlap"));
  }
  num_ = layout().AddWhole(1, 0.0, static_cast<double>(num_samples));
  means_ = layout().AddAny(static_cast<size_t>(num_samples));
  const auto num_bands = static_cast<int64_t>(config.low_hz.size());
  AddOutput("power", "uV^2", {num_bands}, "of each band");
  AddOutput("relative", "1", {num_bands}, "of the power of all frequencies");
  AddOutput("broadband", "uV^2", {}, "of all frequencies");
  AddOutput("sample_rate_hz", "Hz", {}, "of what is looked at");
  AddOutput("num_samples", "1", {}, "of what is looked at");
}

void LfpBands::AddSample(absl::Span<const double> potentials_uv, absl::Span<double> state) const {
  const auto i = static_cast<size_t>(state[num_]);
  if (static_cast<int64_t>(i) >= window().num_samples()) return;
  double mean = 0.0;
  if (config_.channels.empty()) {
    mean = Mean(potentials_uv);
  } else {
    for (const double unit : config_.channels) mean += potentials_uv[static_cast<size_t>(unit)];
    mean /= static_cast<double>(config_.channels.size());
  }
  state[means_ + i] = mean;
  state[num_] += 1.0;
}

absl::Status LfpBands::Read(absl::Span<double> state, absl::Span<double> values) const {
  const auto means = state.subspan(means_, static_cast<size_t>(window().num_samples()));
  std::vector<double> samples(means.begin(), means.end());
  if (is_filtered_) {
    FilterBothWays(LowPass::Butterworth(static_cast<int>(config_.lowpass_order),
                                        config_.lowpass_hz / (rate_hz_ / 2.0)),
                   &samples);
  }
  size_t num_left = 0;
  for (size_t i = 0; i < samples.size(); i += static_cast<size_t>(every_)) {
    samples[num_left++] = samples[i];
  }
  samples.resize(num_left);
  const double rate_hz = rate_hz_ / static_cast<double>(every_);
  const Spectrum spectrum = Welch(samples, rate_hz, segment_, overlap_);
  const double total = spectrum.Total();
  const size_t num_bands = config_.low_hz.size();
  for (size_t b = 0; b < num_bands; ++b) {
    values[b] = spectrum.Between(config_.low_hz[b], config_.high_hz[b]);
    values[num_bands + b] = total > 0.0 ? values[b] / total : 0.0;
  }
  values[2 * num_bands] = total;
  values[2 * num_bands + 1] = rate_hz;
  values[2 * num_bands + 2] = static_cast<double>(num_left);
  return absl::OkStatus();
}

}  // namespace livnd::io
