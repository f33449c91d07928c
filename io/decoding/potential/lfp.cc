#include "io/decoding/potential/lfp.h"

#include <algorithm>
#include <vector>

namespace livnd::io {

Lfp::Lfp(DecodingKey key, const Config& config, const DecodingWindow& window)
    : Decoding(key, window), downsampling_(config, window) {
  Refuse(downsampling_.fault());
  num_channels_ = downsampling_.units().empty() ? static_cast<size_t>(num_units())
                                                : downsampling_.units().size();
  const auto num_samples = static_cast<size_t>(window.num_samples());
  num_ = layout().AddWhole(1, 0.0, static_cast<double>(num_samples));
  samples_ = layout().AddAny(num_channels_ * num_samples);
  AddOutput("lfp", "uV", {static_cast<int64_t>(num_channels_), downsampling_.num_left()},
            "of each channel");
  AddOutput("sample_rate_hz", "Hz", {}, "of the trace");
}

void Lfp::AddSample(absl::Span<const double> potentials_uv, absl::Span<double> state) const {
  const auto num_samples = static_cast<size_t>(window().num_samples());
  const auto i = static_cast<size_t>(state[num_]);
  if (i >= num_samples) return;
  const std::vector<size_t>& units = downsampling_.units();
  for (size_t channel = 0; channel < num_channels_; ++channel) {
    state[samples_ + channel * num_samples + i] =
        potentials_uv[units.empty() ? channel : units[channel]];
  }
  state[num_] += 1.0;
}

absl::Status Lfp::Read(absl::Span<double> state, absl::Span<double> values) const {
  const auto num_samples = static_cast<size_t>(window().num_samples());
  auto out = values.begin();
  for (size_t channel = 0; channel < num_channels_; ++channel) {
    const auto all = state.subspan(samples_ + channel * num_samples, num_samples);
    std::vector<double> samples(all.begin(), all.end());
    downsampling_.Apply(&samples);
    out = std::copy(samples.begin(), samples.end(), out);
  }
  *out = downsampling_.rate_hz();
  return absl::OkStatus();
}

}  // namespace livnd::io
