#include <memory>
#include <vector>

#include "env/task/target_rate.h"
#include "env/task/testing/short_target_rate.h"
#include "env/task/vector_environment.h"
#include "gtest/gtest.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

std::unique_ptr<VectorEnvironment> Make(AutoresetMode mode, sim::Executor& executor) {
  auto made = VectorEnvironment::Create(ShortTargetRate(), 3, mode, 99, executor);
  EXPECT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE((*made)->Reset(Seeds({1, 2, 3})).ok());
  return *std::move(made);
}

std::vector<bool> Known(const VectorEnvironment& env) {
  std::vector<bool> known;
  for (int c = 0; c < env.num_envs(); ++c) {
    known.push_back(env.activity(c).currents_ua != nullptr);
  }
  return known;
}

TEST(StepActivityTest, ItIsWhatTheStepWas) {
  sim::ThreadsExecutor two(2);
  auto env = Make(AutoresetMode::kNextStep, two);
  EXPECT_EQ(Known(*env), std::vector<bool>(3, false));
  size_t num_spikes = 0;
  for (int step = 0; step < 3; ++step) {
    const TensorBatch actions = Actions({1, 2, 3}, step);
    ASSERT_TRUE(env->Step(actions).ok());
    for (int c = 0; c < 3; ++c) {
      const StepActivity activity = env->activity(c);
      EXPECT_EQ(activity.spikes.size(), env->outcome().infos.of<double>(kNumSpikes, c)[0]);
      for (const sim::Spike& spike : activity.spikes) {
        EXPECT_GE(spike.tick, activity.start_tick);
        EXPECT_LT(spike.tick, activity.start_tick + 2000);
      }
      num_spikes += activity.spikes.size();
      ASSERT_NE(activity.currents_ua, nullptr);
      EXPECT_EQ(activity.currents_ua->first_tick, activity.start_tick);
      // Positive is cathodic first.
      const auto amplitudes = actions.of<float>(0, c);
      for (size_t e = 0; e < amplitudes.size(); ++e) {
        EXPECT_EQ(activity.currents_ua->samples[e]<0.0, amplitudes[e]> 0.0f);
      }
    }
  }
  EXPECT_GT(num_spikes, 10u);
}

TEST(StepActivityTest, ACopyThatWasResetOrRestoredHasNone) {
  sim::InlineExecutor executor;
  auto env = Make(AutoresetMode::kNextStep, executor);
  ASSERT_TRUE(env->Step(Actions({1, 2, 3}, 0)).ok());
  EXPECT_EQ(Known(*env), std::vector<bool>(3, true));
  const size_t spikes_of_2 = env->activity(2).spikes.size();
  ResetRequest first = Seeds({7, 7, 7});
  first.mask = {1, 0, 0};
  ASSERT_TRUE(env->Reset(first).ok());
  EXPECT_EQ(Known(*env), (std::vector<bool>{false, true, true}));
  const EnvironmentCopy saved = env->Save(2);
  ASSERT_TRUE(env->Restore({nullptr, &saved, nullptr}).ok());
  EXPECT_EQ(Known(*env), (std::vector<bool>{false, false, true}));
  EXPECT_EQ(env->activity(2).spikes.size(), spikes_of_2);
}

TEST(StepActivityTest, AStepThatOnlyBeginsAnEpisodeHasNone) {
  sim::InlineExecutor executor;
  auto env = Make(AutoresetMode::kNextStep, executor);
  for (int step = 0; step < 4; ++step) ASSERT_TRUE(env->Step(Actions({1, 2, 3}, step)).ok());
  ASSERT_EQ(env->outcome().truncated, std::vector<uint8_t>(3, 1));
  EXPECT_EQ(Known(*env), std::vector<bool>(3, true));
  ASSERT_TRUE(env->Step(Actions({1, 2, 3}, 4)).ok());
  EXPECT_EQ(Known(*env), std::vector<bool>(3, false));
}

TEST(StepActivityTest, UnderSameStepTheEndIsStillThere) {
  sim::InlineExecutor executor;
  auto env = Make(AutoresetMode::kSameStep, executor);
  for (int step = 0; step < 4; ++step) ASSERT_TRUE(env->Step(Actions({1, 2, 3}, step)).ok());
  ASSERT_EQ(env->outcome().began, std::vector<uint8_t>(3, 1));
  EXPECT_EQ(Known(*env), std::vector<bool>(3, true));
  EXPECT_EQ(env->activity(0).spikes.size(),
            env->outcome().final_infos.of<double>(kNumSpikes, 0)[0]);
}

}  // namespace
}  // namespace livnd::env
