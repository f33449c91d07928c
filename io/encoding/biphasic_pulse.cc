#include "io/encoding/biphasic_pulse.h"

#include <cmath>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"

namespace livnd::io {
namespace {

constexpr double kMaxPhaseUs = 1e5;
constexpr double kMaxAmplitudeUa = 1000.0;

}  // namespace

absl::Status BiphasicPulseConfig::Validate(double dt_ms) const {
  const double tick_us = dt_ms * 1e3;
  const double ticks = phase_us / tick_us;
  // Written so that NaN fails.
  if (!(ticks > 0.5 && phase_us <= kMaxPhaseUs && std::fabs(ticks - std::round(ticks)) <= 1e-6)) {
    return MakeFieldError(
        "phase_us", Exact(phase_us),
        absl::StrCat("a multiple of the tick, ", Exact(tick_us), ", up to ", kMaxPhaseUs, " (us)"));
  }
  if (!(max_amplitude_ua >= 0.0 && max_amplitude_ua <= kMaxAmplitudeUa)) {
    return MakeFieldError("max_amplitude_ua", Exact(max_amplitude_ua),
                          absl::StrCat("0 .. ", kMaxAmplitudeUa, " (uA)"));
  }
  return absl::OkStatus();
}

BiphasicPulse::BiphasicPulse(const BiphasicPulseConfig& config, int num_electrodes, double dt_ms)
    : config_(config),
      num_electrodes_(num_electrodes),
      dt_ms_(dt_ms),
      phase_ticks_(std::llround(config.phase_us * 1e-3 / dt_ms)) {}

absl::StatusOr<BiphasicPulse> BiphasicPulse::Create(const BiphasicPulseConfig& config,
                                                    int num_electrodes, double dt_ms) {
  if (absl::Status s = config.Validate(dt_ms); !s.ok()) return s;
  return BiphasicPulse(config, num_electrodes, dt_ms);
}

void BiphasicPulse::Encode(absl::Span<const float> amplitudes, int64_t tick,
                           sim::Waveform* waveform) const {
  const auto n = static_cast<size_t>(num_electrodes_);
  // A sample a phase.
  waveform->timing = sim::SampleTiming::kExactTicks;
  waveform->sample_dt_ms = static_cast<double>(phase_ticks_) * dt_ms_;
  waveform->first_tick = tick;
  waveform->num_channels = num_electrodes_;
  waveform->channels.clear();
  waveform->samples.resize(2 * n);
  for (size_t e = 0; e < n; ++e) {
    const double first = -config_.max_amplitude_ua * static_cast<double>(amplitudes[e]);
    waveform->samples[e] = first;
    waveform->samples[n + e] = -first;
  }
}

double BiphasicPulse::ChargeNc(absl::Span<const float> amplitudes) const {
  double sum = 0.0;
  for (const float a : amplitudes) sum += std::fabs(static_cast<double>(a));
  return config_.ChargeNc(sum);
}

}  // namespace livnd::io
