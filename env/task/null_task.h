// Null: a task without a culture, to measure what serving one costs by itself.
#ifndef LIVND_ENV_TASK_NULL_TASK_H_
#define LIVND_ENV_TASK_NULL_TASK_H_

#include <cstddef>
#include <memory>

#include "absl/status/statusor.h"
#include "env/spec.h"
#include "env/task/task.h"

namespace livnd::env {

// The agent sees its own action, again and again, and is paid its sum. Immutable and thread-safe.
class NullTask final : public Task {
 public:
  static constexpr char kName[] = "Null";

  static EnvironmentSpec Offer();
  static absl::StatusOr<std::shared_ptr<const NullTask>> Create();

  const EnvironmentSpec& spec() const override { return spec_; }
  size_t state_size() const override { return 0; }
  void NewEpisode(const EpisodeStart& start, absl::Span<double> state,
                  const Seen& seen) const override;
  StepEnd Finish(const Action& action, const Activity& activity, absl::Span<double> state,
                 const Seen& seen) const override;

 private:
  NullTask() : spec_(Offer()) {}

  const EnvironmentSpec spec_;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_TASK_NULL_TASK_H_
