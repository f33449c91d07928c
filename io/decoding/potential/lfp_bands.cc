#include "io/decoding/potential/lfp_bands.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "io/decoding/potential/spectrum.h"

namespace livnd::io {
namespace {

// Operations of all transforms: some seconds.
constexpr double kMaxWork = 8e9;

}  // namespace

void LfpBandsConfig::Describe(CodingFields& fields) {
  DownsamplingConfig::Describe(fields);
  fields.Whole("segment", &segment, 8, 1 << 16);
  fields.Whole("overlap", &overlap, -1, segment - 1);
  fields.Numbers("low_hz", &low_hz, 64, 0.0, 1e9);
  fields.Numbers("high_hz", &high_hz, 64, 0.0, 1e9);
  fields.Require(low_hz.size() == high_hz.size(), "high_hz",
                 absl::StrCat(high_hz.size(), " numbers"),
                 absl::StrCat(low_hz.size(), ", one for each of low_hz"));
}

LfpBands::LfpBands(DecodingKey key, const Config& config, const DecodingWindow& window)
    : Decoding(key, window), config_(config), downsampling_(config, window) {
  Refuse(downsampling_.fault());
  const int64_t num_samples = window.num_samples();
  const int64_t num_left = downsampling_.num_left();
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
  const std::vector<size_t>& units = downsampling_.units();
  if (units.empty()) {
    mean = Mean(potentials_uv);
  } else {
    for (const size_t unit : units) mean += potentials_uv[unit];
    mean /= static_cast<double>(units.size());
  }
  state[means_ + i] = mean;
  state[num_] += 1.0;
}

absl::Status LfpBands::Read(absl::Span<double> state, absl::Span<double> values) const {
  const auto means = state.subspan(means_, static_cast<size_t>(window().num_samples()));
  std::vector<double> samples(means.begin(), means.end());
  downsampling_.Apply(&samples);
  const Spectrum spectrum = Welch(samples, downsampling_.rate_hz(), segment_, overlap_);
  const double total = spectrum.Total();
  const size_t num_bands = config_.low_hz.size();
  for (size_t b = 0; b < num_bands; ++b) {
    values[b] = spectrum.Between(config_.low_hz[b], config_.high_hz[b]);
    values[num_bands + b] = total > 0.0 ? values[b] / total : 0.0;
  }
  values[2 * num_bands] = total;
  values[2 * num_bands + 1] = downsampling_.rate_hz();
  values[2 * num_bands + 2] = static_cast<double>(samples.size());
  return absl::OkStatus();
}

}  // namespace livnd::io
