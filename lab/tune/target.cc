#include "lab/tune/target.h"

#include <algorithm>

namespace livnd::lab {

io::ElectrodePulses StimulusConfig::LivnsPulse() {
  io::ElectrodePulses pulse;
  pulse.width_us = 100.0;
  return pulse;
}

io::PulsePlan PlanOf(const StimulusConfig& config, int32_t electrode, double amplitude_ua) {
  io::PulsePlan plan;
  plan.pulses = {config.pulse};
  plan.pulses[0].electrodes = {electrode};
  plan.pulses[0].amplitude_ua = amplitude_ua;
  plan.pulses[0].train.start_us = config.onset_ms * 1e3;
  return plan;
}

double PulseMs(const io::ElectrodePulses& pulse) {
  if (pulse.shape == io::PulseShape::kMonophasic) return pulse.width_us * 1e-3;
  return (pulse.width_us + pulse.gap_us + pulse.recovery_width_us.value_or(pulse.width_us)) * 1e-3;
}

double PeakUa(const StimulusConfig& config) {
  const io::ElectrodePulses& pulse = config.pulse;
  const double recovery = pulse.width_us / pulse.recovery_width_us.value_or(pulse.width_us);
  return config.amplitudes_ua.back() * std::max(1.0, recovery);
}

int FindFeature(absl::string_view name) {
  for (size_t i = 0; i < kFeatures.size(); ++i) {
    if (name == kFeatures[i].name) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace livnd::lab
