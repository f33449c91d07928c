// An environment without a culture, for tests of the server alone.
#ifndef LIVND_SERVER_TESTING_FAKE_ENVIRONMENT_H_
#define LIVND_SERVER_TESTING_FAKE_ENVIRONMENT_H_

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "env/spec.h"
#include "env/task/vector_environment.h"
#include "server/machine/mutex.h"
#include "server/session/environment_store.h"
#include "server/session/hosted_task.h"

namespace livnd::server {

// What a test sees of, and does to, all fake environments that share it. Thread-safe.
struct FakeControl {
  std::atomic<int> num_builds{0};
  std::atomic<int> num_steps{0};  // that have ended
  std::atomic<int> num_alive{0};
  std::atomic<bool> build_fails{false};
  std::atomic<uint64_t> unseeded_seed{0};  // of the last session made

  // While closed, builds and steps wait. A test must open it before it ends.
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
  // Returns once n builds or steps wait.
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
  spec.action.name = "stimulation";
  spec.action.shape = {2};
  spec.action.low = {-1, -1};
  spec.action.high = {1, 1};
  spec.action.element_names = {"electrode_0", "electrode_1"};
  spec.observation.name = "seen";
  spec.observation.shape = {3};
  spec.observation.low = {0, -100, 0};
  spec.observation.high = {100, 100, 100};
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

class FakeEnvironment final : public env::VectorEnvironment {
 public:
  FakeEnvironment(int num_envs, env::AutoresetMode autoreset, FakeControl& control,
                  env::EnvironmentSpec spec = FakeSpec())
      : spec_(std::move(spec)), num_envs_(num_envs), autoreset_(autoreset), control_(control) {
    ++control_.num_alive;
    outcome_.observations.resize(num_envs * 3);
    outcome_.rewards.resize(num_envs);
    outcome_.terminated.resize(num_envs);
    outcome_.truncated.resize(num_envs);
    outcome_.infos = {std::vector<double>(num_envs)};
    outcome_.seeds.resize(num_envs);
    outcome_.episodes.resize(num_envs);
    outcome_.ticks.resize(num_envs);
  }
  ~FakeEnvironment() override { --control_.num_alive; }

  const env::EnvironmentSpec& spec() const override { return spec_; }
  int num_envs() const override { return num_envs_; }

  absl::Status Reset(const env::ResetRequest& request) override {
    for (int i = 0; i < num_envs_; ++i) {
      if (!request.mask.empty() && request.mask[i] == 0) continue;
      const bool seeded = !request.seeds.empty() && request.seeds[i].has_value();
      Begin(i, seeded ? *request.seeds[i] : outcome_.seeds[i] + 1);
    }
    return absl::OkStatus();
  }

  absl::Status Step(absl::Span<const float> actions) override {
    control_.AwaitOpen();
    for (int i = 0; i < num_envs_; ++i) {
      if (outcome_.truncated[i] != 0) {
        Begin(i, outcome_.seeds[i] + 1);
        continue;
      }
      float* seen = &outcome_.observations[i * 3];
      seen[0] += 1;
      seen[1] += actions[2 * i] + actions[2 * i + 1];
      outcome_.rewards[i] = seen[1];
      outcome_.ticks[i] += 2000;
      outcome_.truncated[i] = seen[0] >= 4;
    }
    ++control_.num_steps;
    return absl::OkStatus();
  }

  const env::Outcome& outcome() const override { return outcome_; }
  bool was_reset() const override {
    return std::all_of(outcome_.episodes.begin(), outcome_.episodes.end(),
                       [](int64_t n) { return n > 0; });
  }
  int first_ended() const override {
    if (autoreset_ != env::AutoresetMode::kDisabled) return -1;
    for (int i = 0; i < num_envs_; ++i) {
      if (outcome_.truncated[i] != 0) return i;
    }
    return -1;
  }

 private:
  void Begin(int i, uint64_t seed) {
    outcome_.observations[i * 3] = 0;
    outcome_.observations[i * 3 + 1] = 0;
    outcome_.observations[i * 3 + 2] = static_cast<float>(seed % 100);
    outcome_.rewards[i] = 0;
    outcome_.truncated[i] = 0;
    outcome_.seeds[i] = seed;
    outcome_.episodes[i] += 1;
    outcome_.ticks[i] = 0;
  }

  const env::EnvironmentSpec spec_;
  const int num_envs_;
  const env::AutoresetMode autoreset_;
  FakeControl& control_;
  env::Outcome outcome_;
};

inline EnvironmentStore::Builder FakeBuilder(FakeControl& control) {
  return
      [&control](const std::string& id, sim::Executor&) -> absl::StatusOr<EnvironmentStore::Maker> {
        ++control.num_builds;
        control.AwaitOpen();
        if (control.build_fails) return absl::InternalError("the culture did not settle");
        return EnvironmentStore::Maker(
            [&control,
             id](const WantedCopies& wanted) -> absl::StatusOr<std::unique_ptr<HostedEnvironment>> {
              control.unseeded_seed = wanted.unseeded_seed;
              return std::make_unique<HostedTask>(std::make_unique<FakeEnvironment>(
                  wanted.num_envs, wanted.autoreset, control, FakeSpec(id)));
            });
      };
}

}  // namespace livnd::server

#endif  // LIVND_SERVER_TESTING_FAKE_ENVIRONMENT_H_
