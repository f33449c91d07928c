// What all copies of an environment share: the culture, its electrodes, and the settled state that
// every episode starts from.
#ifndef LIVND_ENV_TASK_TASK_MODEL_H_
#define LIVND_ENV_TASK_TASK_MODEL_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "env/spec.h"
#include "env/task/target_rate.h"
#include "io/system/system.h"
#include "sim/culture/culture.h"
#include "sim/executor.h"
#include "sim/gang/gang.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::env {

// Spikes of one copy in one step.
struct StepCounts {
  std::vector<float> per_electrode;  // [num_electrodes]
  double all_cells = 0.0;
};

// Immutable and thread-safe after Create.
class EnvironmentModel {
 public:
  // Builds the culture from the system's default params and lets it settle for config.settle_ms.
  // InvalidArgument: no electrodes, no params, or parameters that do not fit; FailedPrecondition:
  // the culture did not stay finite while it settled.
  static absl::StatusOr<std::shared_ptr<const EnvironmentModel>> Create(
      const io::System& system, const TargetRateConfig& config);

  const EnvironmentSpec& spec() const { return spec_; }
  const TargetRateConfig& config() const { return config_; }
  const std::shared_ptr<const sim::Culture>& culture() const { return culture_; }
  const std::shared_ptr<const sim::StimulusMap>& stimulation() const { return stimulation_; }
  int num_electrodes() const { return num_electrodes_; }
  int64_t num_cells() const { return static_cast<int64_t>(culture_->gids().size()); }
  int64_t step_ticks() const { return step_ticks_; }

  // State of a copy at the start of an episode (before its noise is keyed).
  absl::Span<const double> settled_state() const { return settled_state_; }
  // The last steps before it, oldest first: as many as the longer of history and rate window.
  const std::vector<StepCounts>& settled_counts() const { return settled_counts_; }

  // Adds spikes to the counts of their copies; counts is [num_copies].
  void Count(absl::Span<const sim::Spike> spikes, absl::Span<StepCounts> counts) const;
  StepCounts NoCounts() const {
    return {std::vector<float>(static_cast<size_t>(num_electrodes_), 0.0f), 0.0};
  }

  // One biphasic pulse an electrode from `tick` on; amplitudes are [num_electrodes] in [-1, 1].
  sim::Waveform Pulse(int64_t tick, const float* amplitudes) const;

 private:
  EnvironmentModel() = default;
  absl::Status Settle();

  EnvironmentSpec spec_;
  TargetRateConfig config_;
  std::shared_ptr<const sim::Culture> culture_;
  std::shared_ptr<const sim::StimulusMap> stimulation_;
  int num_electrodes_ = 0;
  int64_t step_ticks_ = 0;
  absl::flat_hash_map<int64_t, std::vector<int>> electrodes_of_gid_;
  std::vector<double> settled_state_;
  std::vector<StepCounts> settled_counts_;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_TASK_TASK_MODEL_H_
