#include "io/decoding/potential/downsampling.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "io/decoding/bins.h"
#include "io/decoding/potential/butterworth.h"

namespace livnd::io {

void DownsamplingConfig::Describe(CodingFields& fields) {
  fields.Numbers("channels", &channels, 65536, 0.0, 1048575.0);
  fields.Number("downsample_hz", &downsample_hz, 1e-3, 1e9);
  fields.Number("lowpass_hz", &lowpass_hz, -1.0, 1e9);
  fields.Whole("lowpass_order", &lowpass_order, 1, 8);
}

Downsampling::Downsampling(const DownsamplingConfig& config, const DecodingWindow& window)
    : rate_hz_(1e3 / (static_cast<double>(window.sample_ticks) * window.tick_ms)),
      lowpass_order_(config.lowpass_order),
      lowpass_hz_(config.lowpass_hz) {
  for (size_t i = 0; i < config.channels.size(); ++i) {
    const double unit = config.channels[i];
    if (unit == std::floor(unit) && unit < static_cast<double>(window.num_units)) {
      units_.push_back(static_cast<size_t>(unit));
      continue;
    }
    fault_.Update(MakeFieldError(absl::StrCat("channels[", i, "]"), Exact(unit),
                                 absl::StrCat("a unit, 0 .. ", window.num_units - 1)));
  }
  every_ = static_cast<int64_t>(std::clamp(WholeBelow(rate_hz_ / config.downsample_hz), 1.0, 1e15));
  if (lowpass_hz_ < 0.0) lowpass_hz_ = every_ > 1 ? 0.4 * config.downsample_hz : 0.0;
  is_filtered_ = lowpass_hz_ > 0.0 && lowpass_hz_ < rate_hz_ / 2.0;
  const int64_t num_samples = window.num_samples();
  const int64_t num_mirrored = 3 * (config.lowpass_order + 1);
  if (is_filtered_ && num_samples <= num_mirrored) {
    fault_.Update(MakeFieldError(
        "lowpass_hz", Exact(lowpass_hz_),
        absl::StrCat("0, no filter, with ", num_samples, " samples: it takes ", num_mirrored + 1)));
  }
  if (is_filtered_ && lowpass_hz_ < rate_hz_ * 5e-4) {
    fault_.Update(MakeFieldError("lowpass_hz", Exact(lowpass_hz_),
                                 absl::StrCat(Exact(rate_hz_ * 5e-4), " at least, of the rate of ",
                                              Exact(rate_hz_), " Hz")));
  }
  num_left_ = (num_samples + every_ - 1) / every_;
}

void Downsampling::Apply(std::vector<double>* samples) const {
  if (is_filtered_) {
    FilterBothWays(
        LowPass::Butterworth(static_cast<int>(lowpass_order_), lowpass_hz_ / (rate_hz_ / 2.0)),
        samples);
  }
  size_t num_left = 0;
  for (size_t i = 0; i < samples->size(); i += static_cast<size_t>(every_)) {
    (*samples)[num_left++] = (*samples)[i];
  }
  samples->resize(num_left);
}

}  // namespace livnd::io
