// An environment without a culture, for tests of the server alone.
#ifndef LIVND_SERVER_TESTING_FAKE_ENVIRONMENT_H_
#define LIVND_SERVER_TESTING_FAKE_ENVIRONMENT_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "env/passage.h"
#include "env/spec.h"
#include "env/task/task.h"
#include "env/task/vector_environment.h"
#include "env/tensor_batch.h"
#include "server/machine/mutex.h"
#include "server/session/environment_store.h"
#include "server/session/hosted_task.h"
#include "sim/executor.h"

namespace livnd::server {

// What a test sees of, and does to, all fake environments that share it. Thread-safe.
struct FakeControl {
  std::atomic<int> num_builds{0};
  std::atomic<int> num_begun{0};   // steps
  std::atomic<int> num_steps{0};   // that have ended
  std::atomic<int> num_pieces{0};  // of steps
  std::atomic<int> pieces_per_step{1};
  std::atomic<int> num_alive{0};
  std::atomic<bool> build_fails{false};
  std::atomic<uint64_t> unseeded_seed{0};  // of the last session made
  std::atomic<int64_t> bytes_of_copy{0};

  // While closed, builds and pieces of steps wait. A test must open it before it ends.
  void Close() {
    MutexLock lock(mu);
    open = false;
  }
  void Open() {
    MutexLock lock(mu);
    open = true;
    changed.SignalAll();
  }
  void AwaitOpen() {
    MutexLock lock(mu);
    ++num_waiting;
    changed.SignalAll();
    while (!open) changed.Wait(mu);
    --num_waiting;
  }
  // Returns once n builds or pieces wait.
  void AwaitWaiting(int n) {
    MutexLock lock(mu);
    while (num_waiting < n) changed.Wait(mu);
  }

  Mutex mu;
  CondVar changed;
  bool open ABSL_GUARDED_BY(mu) = true;
  int num_waiting ABSL_GUARDED_BY(mu) = 0;
};

// Two actions in [-1, 1]; three observations: steps of the episode, the sum of the actions, the low
// bits of the seed. An episode ends (truncated) after `max_episode_steps` = 4.
inline env::EnvironmentSpec FakeSpec(const std::string& id = "Fake-v0") {
  env::EnvironmentSpec spec;
  spec.id = id;
  spec.task = "Fake";
  spec.system = "none";
  env::TensorSpec& action = spec.actions.emplace_back();
  action.name = "stimulation";
  action.shape = {2};
  action.low = {-1, -1};
  action.high = {1, 1};
  action.element_names = {"electrode_0", "electrode_1"};
  env::TensorSpec& observation = spec.observations.emplace_back();
  observation.name = "seen";
  observation.shape = {3};
  observation.low = {0, -100, 0};
  observation.high = {100, 100, 100};
  env::TensorSpec info;
  info.name = "charge";
  info.dtype = env::DType::kFloat64;
  info.low = {0};
  info.high = {1};
  spec.infos = {info};
  spec.reset_options = {{"target", "what to aim at", 0.5, 5.0}};
  spec.step_duration_ms = 50;
  spec.tick_ns = 25'000;
  spec.max_episode_steps = 4;
  spec.physics_version = "fake-1";
  spec.settings["price"] = 0.25;
  return spec;
}

// The task behind it: the episode's seed decides nothing but what is seen of it.
class FakeTask final : public env::Task {
 public:
  explicit FakeTask(env::EnvironmentSpec spec) : spec_(std::move(spec)) {}

  const env::EnvironmentSpec& spec() const override { return spec_; }
  size_t state_size() const override { return 0; }
  void NewEpisode(const env::EpisodeStart& start, absl::Span<double>,
                  const env::Seen& seen) const override {
    const absl::Span<float> numbers = seen.observation<float>(0);
    numbers[0] = numbers[1] = 0;
    numbers[2] = static_cast<float>(start.seed % 100);
  }
  env::StepEnd Finish(const env::Action& action, const env::Activity&, absl::Span<double>,
                      const env::Seen& seen) const override {
    const absl::Span<const float> amplitudes = action.get<float>(0);
    const absl::Span<float> numbers = seen.observation<float>(0);
    numbers[0] += 1;
    numbers[1] += amplitudes[0] + amplitudes[1];
    return {numbers[1], false, false};
  }

 private:
  const env::EnvironmentSpec spec_;
};

class FakeEnvironment final : public env::VectorEnvironment {
 public:
  FakeEnvironment(int num_envs, env::AutoresetMode autoreset, FakeControl& control,
                  env::EnvironmentSpec spec = FakeSpec(), int64_t max_episode_steps = 0)
      : environment_(*Create(std::make_shared<const FakeTask>(std::move(spec)), num_envs, autoreset,
                             0, executor_, max_episode_steps)),
        control_(control) {
    ++control_.num_alive;
  }
  ~FakeEnvironment() override { --control_.num_alive; }

  const env::EnvironmentSpec& spec() const override { return environment_->spec(); }
  int num_envs() const override { return environment_->num_envs(); }
  absl::Status Reset(const env::ResetRequest& request) override {
    return environment_->Reset(request);
  }
  absl::Status BeginStep(const env::TensorBatch& actions) override {
    const absl::Status status = environment_->BeginStep(actions);
    pieces_left_ = control_.pieces_per_step;
    if (status.ok()) ++control_.num_begun;
    return status;
  }
  env::Progress ContinueStep(int64_t max_ticks) override {
    control_.AwaitOpen();
    ++control_.num_pieces;
    if (--pieces_left_ > 0) return {1, false};
    const env::Progress progress = environment_->ContinueStep(max_ticks);
    if (progress.over) ++control_.num_steps;
    return progress;
  }
  env::EnvironmentCopy Save(int copy) const override { return environment_->Save(copy); }
  absl::Status Restore(absl::Span<const env::EnvironmentCopy* const> copies) override {
    return environment_->Restore(copies);
  }
  const env::Outcome& outcome() const override { return environment_->outcome(); }
  env::StepActivity activity(int copy) const override { return environment_->activity(copy); }
  absl::Status RecordSeries(std::vector<env::SeriesSelection> series) override {
    return environment_->RecordSeries(std::move(series));
  }
  const std::vector<env::SeriesSelection>& series() const override {
    return environment_->series();
  }
  std::vector<int64_t> num_series_rows() const override { return environment_->num_series_rows(); }
  const env::Task& task() const override { return environment_->task(); }
  bool was_reset() const override { return environment_->was_reset(); }
  int first_ended() const override { return environment_->first_ended(); }

 private:
  sim::InlineExecutor executor_;
  const std::unique_ptr<env::VectorEnvironment> environment_;
  FakeControl& control_;
  int pieces_left_ = 0;
};

inline EnvironmentStore::Builder FakeBuilder(FakeControl& control) {
  return [&control](const std::string& id,
                    sim::Executor&) -> absl::StatusOr<EnvironmentStore::Maker> {
    ++control.num_builds;
    control.AwaitOpen();
    if (control.build_fails) return absl::InternalError("the culture did not settle");
    return EnvironmentStore::Maker(
        [&control,
         id](const WantedCopies& wanted) -> absl::StatusOr<std::unique_ptr<HostedEnvironment>> {
          control.unseeded_seed = wanted.unseeded_seed;
          return std::make_unique<HostedTask>(
              std::make_unique<FakeEnvironment>(wanted.num_envs, wanted.autoreset, control,
                                                FakeSpec(id), wanted.max_episode_steps),
              SnapshotIdentity{"fake-1", id, "spec", ""});
        },
        [&control](const WantedCopies& wanted) { return wanted.num_envs * control.bytes_of_copy; });
  };
}

}  // namespace livnd::server

#endif  // LIVND_SERVER_TESTING_FAKE_ENVIRONMENT_H_
