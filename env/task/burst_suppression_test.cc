#include "env/task/burst_suppression.h"

#include <algorithm>
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

std::shared_ptr<const BurstSuppression> Shared() {
  static const auto* task = [] {
    auto made = BurstSuppression::Create(Mini());
    EXPECT_TRUE(made.ok()) << made.status();
    return new std::shared_ptr<const BurstSuppression>(*made);
  }();
  return *task;
}

struct Score {
  double mean_return = 0.0;
  double bursts = 0.0;          // in steps, of all
  double guarded = 0.0;         // steps, of all
  double guarded_bursts = 0.0;  // of guarded steps
};

// Of episodes with held-out seeds.
Score ScoreOf(
    absl::FunctionRef<void(absl::Span<const float> seen, absl::Span<float> amplitudes)> policy) {
  constexpr int kEpisodes = 12;
  std::vector<std::optional<uint64_t>> seeds;
  for (uint64_t c = 0; c < kEpisodes; ++c) seeds.emplace_back(4000 + c);
  sim::InlineExecutor executor;
  auto env = VectorEnvironment::Create(Shared(), kEpisodes, AutoresetMode::kDisabled, 0, executor);
  EXPECT_TRUE(env.ok());
  EXPECT_TRUE((*env)->Reset({seeds, {}, {}}).ok());
  const Outcome& outcome = (*env)->outcome();
  const BurstSuppressionConfig& config = Shared()->config();
  TensorBatch actions(Shared()->spec().actions, kEpisodes);
  const auto electrodes = static_cast<double>(actions.of<float>(0, 0).size());
  Score score;
  for (int step = 0; step < config.episode_steps; ++step) {
    for (int c = 0; c < kEpisodes; ++c) {
      policy(outcome.observations.of<float>(0, c), actions.of<float>(0, c));
    }
    EXPECT_TRUE((*env)->Step(actions).ok());
    for (int c = 0; c < kEpisodes; ++c) {
      const double reward = outcome.rewards[static_cast<size_t>(c)];
      EXPECT_GE(reward, -1.0 - config.pulse_price * electrodes);  // false for NaN, too
      EXPECT_LE(reward, 0.0);
      const double burst = outcome.infos.of<double>(kIsBurst, c)[0];
      const double guarded = outcome.infos.of<double>(kIsGuarded, c)[0];
      EXPECT_EQ(burst, outcome.infos.of<double>(kSpikesPerCell, c)[0] >= 1.0 ? 1.0 : 0.0);
      score.mean_return += reward / kEpisodes;
      score.bursts += burst / (kEpisodes * config.episode_steps);
      score.guarded += guarded / (kEpisodes * config.episode_steps);
      score.guarded_bursts += guarded * burst;
    }
  }
  score.guarded_bursts /= score.guarded * kEpisodes * config.episode_steps;
  return score;
}

// A full pulse on the middle electrode while bursts cost, and just before.
void StimulateWhereItCounts(absl::Span<const float> seen, absl::Span<float> amplitudes) {
  const float max_stretch = static_cast<float>(Shared()->config().max_stretch_steps);
  const bool guarded = seen[0] > 0.0f, soon = seen[1] * max_stretch < 3.5f;
  amplitudes[amplitudes.size() / 2] = (guarded && !soon) || (!guarded && soon) ? 1.0f : 0.0f;
}

TEST(BurstSuppressionTest, TheCultureBurstsByItselfAndWeakStimulationKeepsItFromThat) {
  EXPECT_GT(Shared()->ampa_factor(), 1.0);  // EI-mini does not burst as it ships
  const Score silent = ScoreOf([](auto, auto a) { std::fill(a.begin(), a.end(), 0.0f); });
  EXPECT_GT(silent.bursts, 0.04);
  EXPECT_GT(silent.guarded, 0.35);
  EXPECT_LT(silent.guarded, 0.65);
  const Score weak = ScoreOf([](auto, auto a) { a[a.size() / 2] = 1.0f; });
  EXPECT_LT(weak.bursts, 0.6 * silent.bursts);
}

TEST(BurstSuppressionTest, WhoStimulatesWhereItCountsDoesBetterThanAnyConstant) {
  const Score wise = ScoreOf(StimulateWhereItCounts);
  double best = -1e9;
  for (const float amplitude : {0.0f, 0.05f, 0.15f, 1.0f}) {
    best = std::max(
        best, ScoreOf([&](auto, auto a) { std::fill(a.begin(), a.end(), amplitude); }).mean_return);
  }
  for (const size_t e : {0, 4, 7}) {
    for (const float amplitude : {0.8f, 1.0f}) {
      best = std::max(best, ScoreOf([&](auto, auto a) { a[e] = amplitude; }).mean_return);
    }
  }
  EXPECT_GT(wise.mean_return, best + 0.5);
}

// Either sign excites: who may send both, learns nothing from amplitudes around 0.
TEST(BurstSuppressionTest, TakesPulsesOfOneSign) {
  EXPECT_THAT(Shared()->spec().actions[0].low, testing::Each(0.0));
  EXPECT_THAT(Shared()->spec().actions[0].high, testing::Each(1.0));
}

TEST(BurstSuppressionTest, StatesFromOutsideCountWhole) {
  std::vector<double> state(Shared()->state_size());
  EXPECT_TRUE(Shared()->CheckState(state).ok());
  state[0] = 0.5;
  EXPECT_THAT(Shared()->CheckState(state), IsFieldError("task[0]", "0.5", HasSubstr("0 to 1")));
  state[0] = 1.0;
  state[1] = 21.0;
  EXPECT_THAT(Shared()->CheckState(state), IsFieldError("task[1]", "21", HasSubstr("0 to 20")));
  state[1] = 20.0;
  state[4] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(Shared()->CheckState(state).ok());
}

TEST(BurstSuppressionTest, ASystemWhoseParamsSetNoAmpaDoesNotCarryIt) {
  io::System system = Mini();
  auto& params = system.params["default"]["ReducedCalciumSomaDendrite"]["default"];
  params.erase(
      std::remove_if(params.begin(), params.end(),
                     [](const io::Param& p) { return p.key == "weight-EXC_EXC-dend-AMPA-weight"; }),
      params.end());
  EXPECT_THAT(BurstSuppression::Offer(system).status(),
              IsFileError("systems/EI-mini/params/default.json", "EXC_EXC-dend-AMPA", "absent",
                          HasSubstr("a weight")));
}

TEST(BurstSuppressionTest, ConfigErrorsNameTheField) {
  const auto field_of = [](const BurstSuppressionConfig& config) {
    const auto error = FieldErrorOf(BurstSuppression::Create(Mini(), config).status());
    return error.has_value() ? error->field + " takes " + error->accepted : "no field";
  };
  BurstSuppressionConfig config;
  config.max_stretch_steps = 1;
  EXPECT_EQ(field_of(config), "max_stretch_steps takes 12 .. 1e+06");
  config = {};
  config.pulse_price = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(field_of(config), "pulse_price takes 0 .. 1e+06");
  config = {};
  config.titration_ms = 1.0;
  EXPECT_EQ(field_of(config), "titration_ms takes 50 .. 50000");
}

}  // namespace
}  // namespace livnd::env
