// N copies of one environment, stepped together. A single environment is N = 1.
#ifndef LIVND_ENV_TASK_VECTOR_ENVIRONMENT_H_
#define LIVND_ENV_TASK_VECTOR_ENVIRONMENT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "env/copies.h"
#include "env/culture/culture_types.h"
#include "env/culture/series_recorder.h"
#include "env/passage.h"
#include "env/spec.h"
#include "env/task/task.h"
#include "env/tensor_batch.h"
#include "sim/executor.h"
#include "sim/gang/probe.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::env {

// What becomes of a copy whose episode has ended (terminated or truncated).
enum class AutoresetMode {
  kNextStep,  // the next Step begins its next episode, instead of simulating it
  kSameStep,  // the Step that ends the episode begins the next one, too
  kDisabled,  // Step is refused until it is Reset
};

struct ResetRequest {
  // One entry a copy, or empty for "none has a seed".
  std::vector<std::optional<uint64_t>> seeds;
  // One entry a copy (non-zero = reset it), or empty for all.
  std::vector<uint8_t> mask;
  std::map<std::string, double> options;
};

// What the last Reset or Step left, all copies. Owned by the VectorEnvironment and overwritten by its
// next call.
struct Outcome {
  TensorBatch observations;
  TensorBatch infos;
  // All of them [num_envs].
  std::vector<double> rewards;
  std::vector<uint8_t> terminated, truncated;  // 0 or 1
  std::vector<uint8_t> failed;    // 1 where this Step took the copy out of the range of numbers
  std::vector<uint8_t> began;     // 1 where this call began an episode: a Reset, or an autoreset
  std::vector<uint64_t> seeds;    // of the running episode
  std::vector<int64_t> episodes;  // begun so far
  std::vector<int64_t> ticks;     // since the episode's reset
  // kSameStep: what the ended episodes showed last, where terminated or truncated says that this Step
  // ended one; elsewhere leftovers. `observations`, `infos`, `seeds`, `episodes` and `ticks` are then of
  // the episode that began, `rewards` and the flags of the one that ended. Of other modes: no tensors.
  TensorBatch final_observations;
  TensorBatch final_infos;

  Outcome(const EnvironmentSpec& spec, int num_envs);
};

// One copy of an environment, whole: whoever restores it goes on with the same bits. A value.
struct EnvironmentCopy {
  bool was_reset = false;
  bool ended = false;  // its episode has, and the next one has not begun
  uint64_t seed = 0;   // of the copy's stream of episodes; also of one that was never reset
  uint64_t num_episodes_of_seed = 0;
  uint64_t episode_seed = 0;
  int64_t episode = 0;       // begun so far
  int64_t step = 0;          // within the episode
  CopyState culture;         // while an episode runs, if the task has a culture
  std::vector<double> task;  // Task::state_size() numbers, once it was reset
  // What the last call told of it; [tensor]: one copy's elements in C order.
  std::vector<std::vector<uint8_t>> observations, infos;
  double reward = 0.0;
  bool terminated = false, truncated = false, began = false;
};

// What one copy's culture was given in a step that is over, and what it did; nothing of a copy that the
// step did not simulate.
struct StepActivity {
  int64_t start_tick = 0;                      // the culture's own, when the step began
  absl::Span<const sim::Spike> spikes;         // by time, in the culture's ticks
  const sim::Waveform* currents_ua = nullptr;  // of the electrodes in declared order
  // Of the series that are recorded, in their order; their samples are good unless the copy failed.
  absl::Span<const SeriesRecorder> series;
};

// Runs a task on N copies: their seeds, their episodes, and what happens to those that have ended.
//
// Thread-compatible: one call at a time. Results are a function of the task, the seeds, the options
// and the actions alone: not of num_envs, of a copy's place, or of the executor. Once warm, a Step
// allocates nothing.
class VectorEnvironment {
 public:
  // Every copy must be Reset before the first Step. Copies that are first reset without a seed take
  // theirs from unseeded_seed, each its own; give entropy there. The executor must outlive the
  // environment. Episodes are truncated after max_episode_steps where that comes before the task's own
  // limit (spec() tells which counts); 0 leaves it to the task. MakeFieldError: num_envs < 1.
  static absl::StatusOr<std::unique_ptr<VectorEnvironment>> Create(
      std::shared_ptr<const Task> task, int num_envs, AutoresetMode autoreset,
      uint64_t unseeded_seed, sim::Executor& executor, int64_t max_episode_steps = 0);

  virtual ~VectorEnvironment() = default;
  virtual const EnvironmentSpec& spec() const = 0;
  virtual int num_envs() const = 0;

  // Starts new episodes in the masked copies; see the Reset comment in
  // proto/livnd/v1/environment_service.proto. On an error nothing has changed.
  // MakeFieldError: wrong lengths, an unknown option, a value out of range. FailedPrecondition: a
  // copy outside the mask was never reset.
  virtual absl::Status Reset(const ResetRequest& request) = 0;

  // Takes every copy one step on: BeginStep, then ContinueStep until it is over.
  absl::Status Step(const TensorBatch& actions);

  // Actions by EnvironmentSpec.actions, within their bounds; they stay as they are until the step is
  // over. In mode kNextStep those of a copy whose episode has ended are not looked at: it begins the
  // next one and is not simulated. On an error nothing has changed. MakeFieldError: NaN or out of
  // bounds (copy, element, value and bounds). FailedPrecondition: see first_ended() and was_reset().
  virtual absl::Status BeginStep(const TensorBatch& actions) = 0;
  // Takes a step that has begun on, some copies of it by at most max_ticks >= 1. Until it is over,
  // nothing else may be called but this. How a step is cut changes no bit.
  virtual Progress ContinueStep(int64_t max_ticks) = 0;

  // Has every Step record these series of every copy, which change no bit of anything else, from the
  // step's start on and every sample_dt_ms from there; activity() has them. None: no more. Between two
  // calls. MakeFieldErrors below "series"; nothing has changed then.
  virtual absl::Status RecordSeries(std::vector<SeriesSelection> series) = 0;
  virtual const std::vector<SeriesSelection>& series() const = 0;
  // Numbers of each sample of each of them.
  virtual std::vector<int64_t> num_series_rows() const = 0;

  // A copy as it is between two calls.
  virtual EnvironmentCopy Save(int copy) const = 0;
  // Replaces copies by saved ones of an environment with the same spec and physics; copies[i] is null
  // where copy i stays. On an error nothing has changed. MakeFieldError: the number of copies, or what
  // cannot be a copy of this environment ("copies[2].task[0]").
  virtual absl::Status Restore(absl::Span<const EnvironmentCopy* const> copies) = 0;

  // Valid after the first successful Reset.
  virtual const Outcome& outcome() const = 0;
  // Of the last step, until the next call that changes anything: nothing of a copy that has been Reset or
  // Restored since.
  virtual StepActivity activity(int copy) const = 0;
  virtual const Task& task() const = 0;

  // True once every copy has been reset at least once.
  virtual bool was_reset() const = 0;
  // First copy whose episode has ended and that Step refuses (kDisabled only), or -1.
  virtual int first_ended() const = 0;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_TASK_VECTOR_ENVIRONMENT_H_
