// A culture with electrodes that has settled: what every episode of a task starts from.
#ifndef LIVND_ENV_TASK_TASK_MODEL_H_
#define LIVND_ENV_TASK_TASK_MODEL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "env/culture/series_recorder.h"
#include "io/culture/culture_setup.h"
#include "io/device/electrode_array.h"
#include "io/system/system.h"
#include "sim/culture/culture.h"
#include "sim/gang/probe.h"
#include "sim/stimulus/stimulus.h"
#include "sim/synapse/plasticity.h"

namespace livnd::env {

struct TaskModelConfig {
  double step_ms = 50.0;
  // The culture runs for so long, in whole steps and at least for kept_steps of them.
  double settle_ms = 2000.0;
  uint64_t settle_seed = 1;
  int kept_steps = 0;  // the last steps whose spikes are kept

  // Factors on weights of the default params, by "POST_PRE-SECTION-RECEPTOR": what a drug does to a
  // receptor. The params have to set each of these weights.
  std::map<std::string, double> weight_factors;
  // Present: synapses learn by these rules, from the start of each episode on (not while the culture
  // settles), and what they have learned ends with the episode.
  std::optional<sim::PlasticityConfig> plasticity;

  // What the config of a task says under the same names: step_ms, settle_ms and settle_seed.
  template <typename TaskConfig>
  static TaskModelConfig Of(const TaskConfig& task, int kept_steps = 0) {
    TaskModelConfig config;
    config.step_ms = task.step_ms;
    config.settle_ms = task.settle_ms;
    config.settle_seed = task.settle_seed;
    config.kept_steps = kept_steps;
    return config;
  }

  // MakeFieldError with the field, its value and what it takes.
  absl::Status Validate() const;
};

// Shared by all copies of an environment. Immutable and thread-safe after Create.
class TaskModel {
 public:
  // Why Create cannot succeed, without building anything. InvalidArgument names the system's file
  // that lacks what the task needs: electrodes, a default params document for the model, the weights
  // that change, synapses that learn.
  static absl::Status CheckSuits(const io::System& system, const TaskModelConfig& config = {});

  // Builds the culture from the system's default params and lets it settle. InvalidArgument:
  // Validate's errors, CheckSuits', or parameters that do not fit; FailedPrecondition: the culture
  // did not stay finite while it settled.
  static absl::StatusOr<std::shared_ptr<const TaskModel>> Create(const io::System& system,
                                                                 const TaskModelConfig& config);

  const std::shared_ptr<const sim::Culture>& culture() const { return culture_; }
  // How currents of the electrodes, uA in declared order, reach the cells: as a field; of point
  // neurons, which no field acts on, as the currents of io::ElectrodeCurrentMap.
  const std::shared_ptr<const sim::StimulusMap>& stimulation() const { return stimulation_; }
  sim::StimulusMode stimulus_mode() const { return stimulus_mode_; }
  int num_electrodes() const { return static_cast<int>(electrode_ids_.size()); }
  const std::vector<int32_t>& electrode_ids() const { return electrode_ids_; }  // in declared order
  const io::ElectrodeArrayConfig& electrode_array() const { return array_.config(); }
  int64_t num_cells() const { return static_cast<int64_t>(culture_->gids().size()); }
  // [electrode] gids of the cells that it hears.
  const std::vector<std::vector<uint32_t>>& gids_in_reach() const { return gids_in_reach_; }

  // How the electrodes hear membrane currents. Makes it.
  ElectrodeHearing Hearing() const;

  // State of a copy at the start of an episode, before its noise is keyed.
  absl::Span<const double> settled_state() const { return settled_state_; }
  // Spikes of the kept steps before it, oldest first.
  const std::vector<std::vector<sim::Spike>>& settled_spikes() const { return settled_spikes_; }

 private:
  TaskModel(std::shared_ptr<const sim::Culture> culture, io::ElectrodeArray array,
            std::vector<io::Point> position_um, io::DendriteOrientation orientation);
  // False if the culture does not stay finite.
  bool Settle(const TaskModelConfig& config);

  const std::shared_ptr<const sim::Culture> culture_;
  const io::ElectrodeArray array_;
  const std::vector<io::Point> position_um_;  // [gid]
  const io::DendriteOrientation orientation_;
  std::shared_ptr<const sim::StimulusMap> stimulation_;
  sim::StimulusMode stimulus_mode_ = sim::StimulusMode::kField;
  std::vector<int32_t> electrode_ids_;
  std::vector<std::vector<uint32_t>> gids_in_reach_;
  std::vector<double> settled_state_;
  std::vector<std::vector<sim::Spike>> settled_spikes_;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_TASK_TASK_MODEL_H_
