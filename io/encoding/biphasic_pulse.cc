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
  if (WholeTicks(phase_us, tick_us) < 1 || phase_us > kMaxPhaseUs) {
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
    : config_(config), num_electrodes_(num_electrodes), dt_ms_(dt_ms) {
  const int64_t ticks = WholeTicks(config.phase_us, dt_ms * 1e3);
  phases_ = {ticks, 0, ticks};
}

absl::StatusOr<BiphasicPulse> BiphasicPulse::Create(const BiphasicPulseConfig& config,
                                                    int num_electrodes, double dt_ms) {
  if (absl::Status s = config.Validate(dt_ms); !s.ok()) return s;
  return BiphasicPulse(config, num_electrodes, dt_ms);
}

void BiphasicPulse::Encode(absl::Span<const float> amplitudes, int64_t tick,
                           sim::Waveform* waveform) const {
  const auto n = static_cast<size_t>(num_electrodes_);
  // A sample a phase.
  double* const samples =
      BeginWaveform(tick, phases_.first_ticks, dt_ms_, num_electrodes_, 2, waveform);
  for (size_t e = 0; e < n; ++e) {
    const PulseCurrents currents =
        BalancedCurrents(phases_, -config_.max_amplitude_ua * static_cast<double>(amplitudes[e]));
    samples[e] = currents.first_ua;
    samples[n + e] = currents.recovery_ua;
  }
}

double BiphasicPulse::ChargeNc(absl::Span<const float> amplitudes) const {
  double sum = 0.0;
  for (const float a : amplitudes) sum += std::fabs(static_cast<double>(a));
  return config_.ChargeNc(sum);
}

}  // namespace livnd::io
