#include "io/signal/spike_detector.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"

namespace livnd::io {
namespace {

constexpr double kMaxTimeMs = 1e5;
constexpr double kMaxSamples = 1e6;
constexpr int kMaxChannels = 65536;

int64_t Samples(double time_ms, double sample_dt_ms, int64_t least) {
  return std::max<int64_t>(least, std::llround(time_ms / sample_dt_ms));
}

}  // namespace

absl::Status SpikeDetectorConfig::Validate(double sample_dt_ms) const {
  if (!(sample_dt_ms >= 1e-4 && sample_dt_ms <= 1e3)) {
    return MakeFieldError("sample_dt_ms", Exact(sample_dt_ms), "1e-4 .. 1e3 (ms)");
  }
  const auto check = [](absl::string_view field, double value, double low, double high) {
    if (value >= low && value <= high) return absl::OkStatus();  // false for what is no number
    return MakeFieldError(field, Exact(value), absl::StrCat(Exact(low), " .. ", Exact(high)));
  };
  LIVND_RETURN_IF_ERROR(check("threshold", threshold, 0.0, 1e6));
  LIVND_RETURN_IF_ERROR(check("min_threshold_uv", min_threshold_uv, 0.0, 1e9));
  const double most_ms = std::min(kMaxTimeMs, kMaxSamples * sample_dt_ms);
  LIVND_RETURN_IF_ERROR(check("dead_time_ms", dead_time_ms, 0.0, most_ms));
  LIVND_RETURN_IF_ERROR(check("snippet_before_ms", snippet_before_ms, 0.0, most_ms));
  LIVND_RETURN_IF_ERROR(check("snippet_after_ms", snippet_after_ms, 0.0, most_ms));
  return check("noise_window_ms", noise_window_ms, snippet_before_ms, most_ms);
}

absl::StatusOr<SpikeDetector> SpikeDetector::Create(const SpikeDetectorConfig& config,
                                                    int num_channels, double sample_dt_ms) {
  LIVND_RETURN_IF_ERROR(config.Validate(sample_dt_ms));
  if (num_channels < 1 || num_channels > kMaxChannels) {
    return MakeFieldError("num_channels", absl::StrCat(num_channels),
                          absl::StrCat("1 .. ", kMaxChannels));
  }
  return SpikeDetector(config, num_channels, sample_dt_ms);
}

SpikeDetector::SpikeDetector(const SpikeDetectorConfig& config, int num_channels,
                             double sample_dt_ms)
    : config_(config),
      before_(Samples(config.snippet_before_ms, sample_dt_ms, 0)),
      after_(Samples(config.snippet_after_ms, sample_dt_ms, 1)),
      dead_(Samples(config.dead_time_ms, sample_dt_ms, 1)) {
  const int64_t window =
      Samples(config.noise_window_ms, sample_dt_ms, std::max<int64_t>(1, before_));
  channels_.reserve(static_cast<size_t>(num_channels));
  for (int c = 0; c < num_channels; ++c) channels_.emplace_back(static_cast<size_t>(window));
  recent_.resize(static_cast<size_t>(before_ + after_) * channels_.size());
}

size_t SpikeDetector::num_bytes() const {
  size_t bytes = recent_.capacity() * sizeof(double) + channels_.capacity() * sizeof(Channel);
  for (const Channel& channel : channels_) {
    bytes += channel.noise.num_bytes() + channel.onsets.size() * sizeof(int64_t);
  }
  return bytes;
}

bool SpikeDetector::IsBeyond(const Channel& channel, double potential_uv) const {
  if (!channel.noise.ready()) return false;
  const double distance_uv =
      std::max(config_.threshold * channel.noise.sigma(), config_.min_threshold_uv);
  if (distance_uv == 0.0) return false;
  const double from_uv = potential_uv - channel.noise.middle();
  switch (config_.polarity) {
    case SpikeDetectorConfig::Polarity::kNegative:
      return from_uv < -distance_uv;
    case SpikeDetectorConfig::Polarity::kPositive:
      return from_uv > distance_uv;
    case SpikeDetectorConfig::Polarity::kBoth:
      return std::fabs(from_uv) > distance_uv;
  }
  return false;
}

DetectedSpike SpikeDetector::Make(size_t channel, int64_t onset) const {
  DetectedSpike spike;
  spike.channel = static_cast<int32_t>(channel);
  spike.sample = onset;
  const int64_t end = std::min(onset + after_, num_samples_);
  double largest = -1.0;
  for (int64_t sample = onset - before_; sample < end; ++sample) {
    const double x =
        recent_[static_cast<size_t>(sample % (before_ + after_)) * channels_.size() + channel];
    spike.snippet_uv.push_back(static_cast<float>(x));
    const double from_uv = x - channels_[channel].noise.middle();
    const double size = config_.polarity == SpikeDetectorConfig::Polarity::kNegative ? -from_uv
                        : config_.polarity == SpikeDetectorConfig::Polarity::kPositive
                            ? from_uv
                            : std::fabs(from_uv);
    if (sample < onset || !(size > largest)) continue;
    largest = size;
    spike.amplitude_uv = from_uv;
  }
  return spike;
}

void SpikeDetector::Push(absl::Span<const double> potentials_uv,
                         std::vector<DetectedSpike>* spikes) {
  const int64_t now = num_samples_++;
  std::copy(
      potentials_uv.begin(), potentials_uv.end(),
      recent_.begin() + (now % (before_ + after_)) * static_cast<std::ptrdiff_t>(channels_.size()));
  for (size_t c = 0; c < channels_.size(); ++c) {
    Channel& channel = channels_[c];
    const bool beyond = IsBeyond(channel, potentials_uv[c]);
    // The first threshold comes when the window before it is full: there is a last onset only after that.
    if (beyond && !channel.was_beyond &&
        (channel.last_onset == 0 || now - channel.last_onset >= dead_)) {
      channel.last_onset = now;
      channel.onsets.push_back(now);
    }
    channel.was_beyond = beyond;
    if (!channel.onsets.empty() && channel.onsets.front() + after_ == num_samples_) {
      spikes->push_back(Make(c, channel.onsets.front()));
      channel.onsets.pop_front();
    }
    channel.noise.Push(potentials_uv[c]);
  }
}

void SpikeDetector::Finish(std::vector<DetectedSpike>* spikes) {
  std::vector<std::pair<int64_t, size_t>> left;
  for (size_t c = 0; c < channels_.size(); ++c) {
    for (const int64_t onset : channels_[c].onsets) left.emplace_back(onset, c);
    channels_[c].onsets.clear();
  }
  std::sort(left.begin(), left.end());
  for (const auto& [onset, channel] : left) spikes->push_back(Make(channel, onset));
}

}  // namespace livnd::io
