#include "env/task/pattern_evocation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "base/field_error.h"
#include "base/field_error_matchers.h"
#include "env/task/task_model.h"
#include "env/task/vector_environment.h"
#include "env/tensor_batch.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"
#include "sim/executor.h"

namespace livnd::env {
namespace {

using ::testing::HasSubstr;

io::System Mini() {
  auto system = io::ReadSystem("systems/EI-mini");
  EXPECT_TRUE(system.ok()) << system.status();
  return *std::move(system);
}

const PatternEvocation& Task() {
  static const auto* task = [] {
    auto made = PatternEvocation::Create(Mini());
    EXPECT_TRUE(made.ok()) << made.status();
    return new std::shared_ptr<const PatternEvocation>(*made);
  }();
  return **task;
}

// Sets the amplitudes of an electrode array from what the agent sees before a step.
using Policy =
    absl::FunctionRef<void(absl::Span<const float> seen, int step, absl::Span<float> amplitudes)>;

// Mean return of episodes with these seeds, whose observations, infos and rewards are within bounds.
double Return(const std::shared_ptr<const PatternEvocation>& task,
              const std::vector<std::optional<uint64_t>>& seeds, Policy policy) {
  sim::InlineExecutor executor;
  const auto num = static_cast<int>(seeds.size());
  auto env = VectorEnvironment::Create(task, num, AutoresetMode::kDisabled, 0, executor);
  EXPECT_TRUE(env.ok());
  EXPECT_TRUE((*env)->Reset({seeds, {}, {}}).ok());
  const EnvironmentSpec& spec = task->spec();
  const Outcome& outcome = (*env)->outcome();
  const double lowest = -spec.infos[kDistance].high[0] - task->config().charge_price;
  TensorBatch actions(spec.actions, num);
  double sum = 0.0;
  for (int step = 0; step < task->config().episode_steps; ++step) {
    for (int c = 0; c < num; ++c) {
      policy(outcome.observations.of<float>(0, c), step, actions.of<float>(0, c));
    }
    EXPECT_TRUE((*env)->Step(actions).ok());
    for (int c = 0; c < num; ++c) {
      const auto seen = outcome.observations.of<float>(0, c);
      for (size_t i = 0; i < seen.size(); ++i) {
        EXPECT_GE(seen[i], spec.observations[0].low[i]);
        EXPECT_LE(seen[i], spec.observations[0].high[i]);
      }
      for (int k = 0; k < kNumPatternEvocationInfos; ++k) {
        EXPECT_GE(outcome.infos.of<double>(k, c)[0], spec.infos[k].low[0]) << spec.infos[k].name;
        EXPECT_LE(outcome.infos.of<double>(k, c)[0], spec.infos[k].high[0]) << spec.infos[k].name;
      }
      const double reward = outcome.rewards[static_cast<size_t>(c)];
      EXPECT_GE(reward, lowest);  // false for NaN, too
      EXPECT_LE(reward, 0.0);
      sum += reward;
    }
  }
  EXPECT_EQ(outcome.truncated, std::vector<uint8_t>(static_cast<size_t>(num), 1));
  return sum / num;
}

std::shared_ptr<const PatternEvocation> Shared() {
  return {std::shared_ptr<const PatternEvocation>(), &Task()};
}

const std::vector<std::optional<uint64_t>> kHeldOut = {901, 902, 903, 904, 905, 906,
                                                       907, 908, 909, 910, 911, 912};

// A pulse on the electrode where most is wanted, if that is anything to speak of.
void FollowPattern(absl::Span<const float> seen, absl::Span<float> amplitudes) {
  std::fill(amplitudes.begin(), amplitudes.end(), 0.0f);
  const auto early = seen.first(amplitudes.size());
  const auto most = std::max_element(early.begin(), early.end());
  double sum = 0.0;
  for (const float count : early) sum += count;
  if (sum > 1.5 * static_cast<double>(early.size())) {
    amplitudes[static_cast<size_t>(most - early.begin())] = 0.7f;
  }
}

TEST(PatternEvocationTest, WhoFollowsThePatternDoesBetterThanAnyConstant) {
  const double follows =
      Return(Shared(), kHeldOut, [](auto seen, int, auto a) { FollowPattern(seen, a); });
  const size_t num = Task().spec().actions[0].low.size();
  double best = -1e9;
  for (const float amplitude : {0.0f, 0.05f, 0.1f, 0.3f, 1.0f}) {
    best = std::max(best, Return(Shared(), kHeldOut, [&](auto, int, auto a) {
                      std::fill(a.begin(), a.end(), amplitude);
                    }));
  }
  for (size_t e = 0; e < num; ++e) {
    best = std::max(best, Return(Shared(), kHeldOut, [&](auto, int, auto a) { a[e] = 0.7f; }));
  }
  EXPECT_GT(follows, best + 1.0);
}

TEST(PatternEvocationTest, TheHiddenStimuliEvokeTheirPatterns) {
  std::vector<std::optional<uint64_t>> seeds;
  std::vector<int> patterns;
  for (uint64_t seed = 0; seed < 8; ++seed) {
    seeds.emplace_back(seed);
    patterns.push_back(PatternEvocation::EpisodePattern(Task().config(), seed));
  }
  size_t copy = 0;
  const double hidden = Return(Shared(), seeds, [&](auto, int step, auto a) {
    const auto amplitudes = Task().HiddenAmplitudes(patterns[copy++ % patterns.size()], step);
    std::copy(amplitudes.begin(), amplitudes.end(), a.begin());
  });
  const double nothing =
      Return(Shared(), seeds, [](auto, int, auto a) { std::fill(a.begin(), a.end(), 0.0f); });
  EXPECT_GT(hidden, 0.5 * nothing);  // both are below 0
  EXPECT_GT(*std::max_element(patterns.begin(), patterns.end()), patterns.front());
}

// Either sign excites: who may send both, learns nothing from amplitudes around 0.
TEST(PatternEvocationTest, TakesPulsesOfOneSign) {
  EXPECT_THAT(Task().spec().actions[0].low, testing::Each(0.0));
  EXPECT_THAT(Task().spec().actions[0].high, testing::Each(1.0));
}

TEST(PatternEvocationTest, AnOptionNamesThePattern) {
  sim::InlineExecutor executor;
  auto env = VectorEnvironment::Create(Shared(), 1, AutoresetMode::kDisabled, 0, executor);
  ASSERT_TRUE(env.ok());
  ASSERT_TRUE((*env)->Reset({{1}, {}, {{"pattern", 3.9}}}).ok());
  EXPECT_EQ((*env)->outcome().infos.of<double>(kPattern, 0)[0], 3.0);
  EXPECT_FALSE((*env)->Reset({{1}, {}, {{"pattern", 12.0}}}).ok());
}

TEST(PatternEvocationTest, StatesFromOutsideNameAStepOfAPattern) {
  std::vector<double> state(Task().state_size());
  EXPECT_TRUE(Task().CheckState(state).ok());
  state[1] = 39.0;
  EXPECT_TRUE(Task().CheckState(state).ok());
  state[1] = 40.0;
  EXPECT_THAT(Task().CheckState(state), IsFieldError("task[1]", "40", HasSubstr("0 to 39")));
  state[0] = 0.5;
  EXPECT_THAT(Task().CheckState(state), IsFieldError("task[0]", "0.5", HasSubstr("0 to 11")));
  state[0] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(Task().CheckState(state).ok());
}

TEST(PatternEvocationTest, ConfigErrorsNameTheField) {
  const auto field_of = [](const PatternEvocationConfig& config) {
    const auto error = FieldErrorOf(PatternEvocation::Create(Mini(), config).status());
    return error.has_value() ? error->field + " takes " + error->accepted : "no field";
  };
  PatternEvocationConfig config;
  config.tau_ms = 0.0;
  EXPECT_EQ(field_of(config), "tau_ms takes 0.1 .. 10000");
  config = {};
  config.num_patterns = 0;
  EXPECT_EQ(field_of(config), "num_patterns takes 1 .. 100");
  config = {};
  config.pulse.phase_us = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(field_of(config), "pulse.phase_us takes 0 .. 6250");
}

}  // namespace
}  // namespace livnd::env
