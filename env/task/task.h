// What makes a culture, or anything else, an environment: what an agent does, sees and is paid for.
#ifndef LIVND_ENV_TASK_TASK_H_
#define LIVND_ENV_TASK_TASK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "env/spec.h"
#include "env/tensor_batch.h"
#include "sim/gang/probe.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::env {

class TaskModel;  // env/task/task_model.h: a culture that tasks share

// One copy's action: get<T>(i) is the tensor of EnvironmentSpec.actions[i]. Within its bounds.
class Action {
 public:
  Action(const TensorBatch& actions, int copy) : actions_(actions), copy_(copy) {}
  template <typename T>
  absl::Span<const T> get(int tensor) const {
    return actions_.of<T>(tensor, copy_);
  }

 private:
  const TensorBatch& actions_;
  const int copy_;
};

// Where a task writes what one copy's agent sees: tensors in the order of the spec.
class Seen {
 public:
  Seen(TensorBatch& observations, TensorBatch& infos, int copy)
      : observations_(observations), infos_(infos), copy_(copy) {}
  template <typename T>
  absl::Span<T> observation(int tensor) const {
    return observations_.of<T>(tensor, copy_);
  }
  template <typename T>
  absl::Span<T> info(int tensor) const {
    return infos_.of<T>(tensor, copy_);
  }

 private:
  TensorBatch& observations_;
  TensorBatch& infos_;
  const int copy_;
};

struct EpisodeStart {
  uint64_t seed = 0;                             // decides what is random in the episode
  const std::map<std::string, double>& options;  // of EnvironmentSpec.reset_options, checked
};

// What one copy's culture did in a step.
struct Activity {
  absl::Span<const sim::Spike> spikes;  // by time
  int64_t first_tick = 0;               // of the copy, when the step began
  bool finite = true;  // false: its numbers have left their range, the episode ends
};

struct StepEnd {
  double reward = 0.0;
  bool terminated = false;
  bool truncated =
      false;  // for the task's own reasons; max_episode_steps is not the task's business
};

// A task holds what is constant and all copies share. What an episode needs beside the culture is its
// state: a flat block of numbers that the caller keeps for each copy, whose layout the task alone
// knows. Whoever has saved the block and the culture's state can go on from there.
//
// Of each copy: NewEpisode, then Encode and Finish in turn. The results are functions of the
// arguments alone. None of them may allocate; all of them may run for different copies at once.
class Task {
 public:
  virtual ~Task() = default;

  virtual const EnvironmentSpec& spec() const = 0;
  // The culture that runs between Encode and Finish, from its settled state at the start of each
  // episode; null for a task without one, which is stepped by Finish alone.
  virtual const TaskModel* model() const { return nullptr; }
  // Numbers of a copy's state.
  virtual size_t state_size() const = 0;
  // Whether state_size() numbers from outside can be a state, so that the calls below may be made with
  // it. A task that counts or indexes with one of them looks at it here; the field error names
  // "task[i]".
  virtual absl::Status CheckState(absl::Span<const double> /*state*/) const {
    return absl::OkStatus();
  }

  virtual void NewEpisode(const EpisodeStart& start, absl::Span<double> state,
                          const Seen& seen) const = 0;
  // The currents of the culture's electrodes, from `tick` of the copy on, which is now.
  virtual void Encode(const Action& /*action*/, absl::Span<double> /*state*/, int64_t /*tick*/,
                      sim::Waveform* /*currents_ua*/) const {}
  virtual StepEnd Finish(const Action& action, const Activity& activity, absl::Span<double> state,
                         const Seen& seen) const = 0;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_TASK_TASK_H_
