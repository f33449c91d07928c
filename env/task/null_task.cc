#include "env/task/null_task.h"

#include <algorithm>

#include "sim/culture/culture.h"

namespace livnd::env {
namespace {

constexpr int kNumActed = 8;
constexpr int kNumObserved = 64;

TensorSpec Numbers(const char* name, const char* description, int size) {
  TensorSpec spec;
  spec.name = name;
  spec.shape = {size};
  spec.unit = "1";
  spec.description = description;
  spec.low.assign(static_cast<size_t>(size), -1.0);
  spec.high.assign(static_cast<size_t>(size), 1.0);
  return spec;
}

}  // namespace

EnvironmentSpec NullTask::Offer() {
  EnvironmentSpec spec;
  spec.id = "Null-v0";
  spec.task = NullTask::kName;
  spec.description = "Nothing happens: what it costs to serve an environment.";
  spec.actions = {Numbers("action", "Any numbers.", kNumActed)};
  spec.observations = {
      Numbers("observation", "The last action, again and again; zeros at first.", kNumObserved)};
  spec.tick_ns = 25'000;
  spec.max_episode_steps = 1000;
  spec.physics_version = sim::kPhysicsVersion;
  return spec;
}

absl::StatusOr<std::shared_ptr<const NullTask>> NullTask::Create() {
  return std::shared_ptr<const NullTask>(new NullTask());
}

void NullTask::NewEpisode(const EpisodeStart& /*start*/, absl::Span<double> /*state*/,
                          const Seen& seen) const {
  const absl::Span<float> observation = seen.observation<float>(0);
  std::fill(observation.begin(), observation.end(), 0.0f);
}

StepEnd NullTask::Finish(const Action& action, const Activity& /*activity*/,
                         absl::Span<double> /*state*/, const Seen& seen) const {
  const absl::Span<const float> acted = action.get<float>(0);
  const absl::Span<float> observation = seen.observation<float>(0);
  static_assert(kNumObserved % kNumActed == 0);
  for (auto to = observation.begin(); to != observation.end(); to += kNumActed) {
    std::copy(acted.begin(), acted.end(), to);
  }
  StepEnd end;
  for (const float x : acted) end.reward += static_cast<double>(x);
  return end;
}

}  // namespace livnd::env
