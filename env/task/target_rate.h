// TargetRate: hold a culture's firing at a rate that changes by episode, with little charge.
//
// Every step the agent sets the amplitude of one biphasic pulse on each electrode. It sees the
// spikes that each electrode heard in the last steps, the culture's recent rate and the target.
#ifndef LIVND_ENV_TASK_TARGET_RATE_H_
#define LIVND_ENV_TASK_TARGET_RATE_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "env/spec.h"
#include "io/system/system.h"

namespace livnd::env {

struct TargetRateConfig {
  double step_ms = 50.0;
  // Cathodic first; both phases of equal length, no gap, at the start of the step.
  double phase_us = 200.0;
  double max_amplitude_ua = 10.0;
  int num_history_steps = 4;
  int num_rate_steps = 10;  // the rate is the mean over these
  int episode_steps = 60;
  double settle_ms = 2000.0;
  uint64_t settle_seed = 1;
  // Above what the shipped cultures fire by themselves, below what full pulses on every electrode
  // reach (target_rate_test.cc measures both).
  double min_target_hz = 5.0;
  double max_target_hz = 12.0;
  // Price of full amplitude on every electrode, beside a relative error of 1.
  double charge_price = 0.2;

  // InvalidArgument names the field, its value and what it takes.
  absl::Status Validate() const;
};

// Shapes and bounds for a system with electrodes.
EnvironmentSpec TargetRateSpec(const TargetRateConfig& config, const io::System& system);

// Order of EnvironmentSpec.infos.
enum TargetRateInfo {
  kRateHz,
  kTargetRateHz,
  kNumSpikes,
  kChargeNc,
  kNumericalFailure,
  kNumTargetRateInfos
};

// Charge that one step delivers, both phases counted, nC: sum |a| * max_amplitude * 2 * phase.
double StepChargeNc(const TargetRateConfig& config, const float* action, int num_electrodes);

// -|rate - target| / target - charge_price * mean |a|.
double TargetRateReward(const TargetRateConfig& config, double rate_hz, double target_hz,
                        const float* action, int num_electrodes);

// The target of an episode: uniform between the bounds, decided by the episode's seed.
double EpisodeTargetHz(const TargetRateConfig& config, uint64_t episode_seed);

}  // namespace livnd::env

#endif  // LIVND_ENV_TASK_TARGET_RATE_H_
