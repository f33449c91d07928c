// A task on the system that ships whose episodes are short, and one that does what a test wants.
#ifndef LIVND_ENV_TASK_TESTING_SHORT_TARGET_RATE_H_
#define LIVND_ENV_TASK_TESTING_SHORT_TARGET_RATE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "env/spec.h"
#include "env/task/target_rate.h"
#include "env/task/task.h"
#include "env/task/task_model.h"
#include "env/task/vector_environment.h"
#include "env/tensor_batch.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::env {

// TargetRate on EI-mini with episodes of 4 steps, settled once for all tests.
std::shared_ptr<const TargetRate> ShortTargetRate();

ResetRequest Seeds(std::vector<std::optional<uint64_t>> seeds);

// Amplitudes that depend on copy seed and step, the same wherever the copy lies.
TensorBatch Actions(const std::vector<uint64_t>& seeds, int step);

// ShortTargetRate whose episodes end when an agent asks for it, and which tells what was asked of it.
class EndingTask final : public Task {
 public:
  // First elements of actions: the episode terminates; the culture is driven out of its numbers.
  static constexpr float kTerminate = 1.0f, kRuin = -1.0f;

  const EnvironmentSpec& spec() const override { return ShortTargetRate()->spec(); }
  const TaskModel* model() const override { return ShortTargetRate()->model(); }
  size_t state_size() const override { return ShortTargetRate()->state_size(); }
  void NewEpisode(const EpisodeStart& start, absl::Span<double> state,
                  const Seen& seen) const override {
    ShortTargetRate()->NewEpisode(start, state, seen);
  }
  void Encode(const Action& action, absl::Span<double> state, int64_t tick,
              sim::Waveform* currents_ua) const override;
  StepEnd Finish(const Action& action, const Activity& activity, absl::Span<double> state,
                 const Seen& seen) const override;
  // Since the last call: (Encode, Finish).
  std::pair<int, int> Asked() const {
    return {num_encoded_.exchange(0), num_finished_.exchange(0)};
  }

 private:
  mutable std::atomic<int> num_encoded_{0}, num_finished_{0};
};

}  // namespace livnd::env

#endif  // LIVND_ENV_TASK_TESTING_SHORT_TARGET_RATE_H_
