// Episodes that end and begin in one step, and limits of a session's own.
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "env/task/target_rate.h"
#include "env/task/testing/short_target_rate.h"
#include "env/task/vector_environment.h"
#include "env/tensor_batch.h"
#include "gtest/gtest.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

std::unique_ptr<VectorEnvironment> Make(std::shared_ptr<const Task> task, int num_envs,
                                        AutoresetMode mode, sim::Executor& executor,
                                        int64_t max_episode_steps = 0) {
  auto made =
      VectorEnvironment::Create(std::move(task), num_envs, mode, 99, executor, max_episode_steps);
  EXPECT_TRUE(made.ok()) << made.status();
  return *std::move(made);
}

std::vector<double> InfosOf(const TensorBatch& infos, int copy) {
  std::vector<double> all;
  for (int i = 0; i < infos.num_tensors(); ++i) all.push_back(infos.of<double>(i, copy)[0]);
  return all;
}

// The same in both, of one copy.
void ExpectSame(const TensorBatch& observations, const TensorBatch& infos, const Outcome& by_hand,
                int copy) {
  EXPECT_EQ(observations.of<float>(0, copy), by_hand.observations.of<float>(0, copy));
  EXPECT_EQ(InfosOf(infos, copy), InfosOf(by_hand.infos, copy));
}

TEST(SameStepTest, AStepIsOneThatEndsTheEpisodeAndAResetAfterIt) {
  const std::vector<uint64_t> seeds = {3, 14, 15, 92, 65};
  sim::ThreadsExecutor two(2);
  const auto env = Make(ShortTargetRate(), 5, AutoresetMode::kSameStep, two);
  const auto by_hand = Make(ShortTargetRate(), 5, AutoresetMode::kDisabled, two);
  ResetRequest some;
  some.mask = {0, 1, 0, 0, 1};
  for (auto* each : {env.get(), by_hand.get()}) {
    ASSERT_TRUE(each->Reset(Seeds({3, 14, 15, 92, 65})).ok());
    ASSERT_TRUE(each->Step(Actions(seeds, 0)).ok());
    ASSERT_TRUE(each->Reset(some).ok());  // from here on the copies end at different steps
  }
  int num_ended = 0;
  for (int step = 1; step < 14; ++step) {
    ASSERT_TRUE(env->Step(Actions(seeds, step)).ok());
    ASSERT_TRUE(by_hand->Step(Actions(seeds, step)).ok());
    const Outcome& got = env->outcome();
    EXPECT_EQ(got.rewards, by_hand->outcome().rewards);
    EXPECT_EQ(got.terminated, by_hand->outcome().terminated);
    EXPECT_EQ(got.truncated, by_hand->outcome().truncated);
    EXPECT_EQ(got.began, got.truncated);
    ResetRequest ended;
    ended.mask = got.truncated;
    bool any = false;
    for (int c = 0; c < 5; ++c) {
      if (got.truncated[static_cast<size_t>(c)] == 0) continue;
      any = true;
      ++num_ended;
      ExpectSame(got.final_observations, got.final_infos, by_hand->outcome(), c);
    }
    if (any) {
      ASSERT_TRUE(by_hand->Reset(ended).ok());
    }
    for (int c = 0; c < 5; ++c) ExpectSame(got.observations, got.infos, by_hand->outcome(), c);
    EXPECT_EQ(got.seeds, by_hand->outcome().seeds);
    EXPECT_EQ(got.episodes, by_hand->outcome().episodes);
    EXPECT_EQ(got.ticks, by_hand->outcome().ticks);
  }
  EXPECT_EQ(num_ended, 3 * 3 + 2 * 3);
}

TEST(SameStepTest, AnEndCostsNoSimulationAndNoCall) {
  sim::InlineExecutor executor;
  const auto task = std::make_shared<const EndingTask>();
  const auto env = Make(task, 3, AutoresetMode::kSameStep, executor);
  ASSERT_TRUE(env->Reset(Seeds({1, 2, 3})).ok());
  const Outcome& outcome = env->outcome();
  for (int step = 0; step < 3; ++step) {
    TensorBatch actions = Actions({1, 2, 3}, step);
    actions.of<float>(0, 1)[0] = EndingTask::kTerminate;
    ASSERT_TRUE(env->Step(actions).ok());
    EXPECT_EQ(task->Asked(), (std::pair<int, int>{3, 3}));
    EXPECT_EQ(outcome.terminated, (std::vector<uint8_t>{0, 1, 0}));
    EXPECT_EQ(outcome.truncated, (std::vector<uint8_t>{0, 0, 0}));
    EXPECT_EQ(outcome.began, (std::vector<uint8_t>{0, 1, 0}));
    EXPECT_EQ(outcome.ticks, (std::vector<int64_t>{2000 * (step + 1), 0, 2000 * (step + 1)}));
    EXPECT_LT(outcome.rewards[1], 0.0);
    EXPECT_EQ(env->first_ended(), -1);
  }
  EXPECT_EQ(outcome.episodes, (std::vector<int64_t>{1, 4, 1}));
}

TEST(SameStepTest, ACopyWhoseNumbersBlowUpIsTruncatedAndGoesOn) {
  sim::InlineExecutor executor;
  const auto env =
      Make(std::make_shared<const EndingTask>(), 3, AutoresetMode::kSameStep, executor);
  const auto sound = Make(ShortTargetRate(), 3, AutoresetMode::kSameStep, executor);
  for (auto* each : {env.get(), sound.get()}) ASSERT_TRUE(each->Reset(Seeds({1, 2, 3})).ok());
  TensorBatch actions = Actions({1, 2, 3}, 0);
  ASSERT_TRUE(sound->Step(actions).ok());
  actions.of<float>(0, 1)[0] = EndingTask::kRuin;
  ASSERT_TRUE(env->Step(actions).ok());
  const Outcome& outcome = env->outcome();
  EXPECT_EQ(outcome.truncated, (std::vector<uint8_t>{0, 1, 0}));
  EXPECT_EQ(outcome.began, (std::vector<uint8_t>{0, 1, 0}));
  EXPECT_EQ(outcome.failed, (std::vector<uint8_t>{0, 1, 0}));
  EXPECT_EQ(outcome.final_infos.of<double>(kNumericalFailure, 1)[0], 1.0);
  EXPECT_EQ(outcome.infos.of<double>(kNumericalFailure, 1)[0], 0.0);
  for (const int c : {0, 2}) {
    ExpectSame(outcome.observations, outcome.infos, sound->outcome(), c);
  }
  // The new episode is that of its seed.
  const auto fresh = Make(ShortTargetRate(), 1, AutoresetMode::kSameStep, executor);
  ASSERT_TRUE(fresh->Reset(Seeds({outcome.seeds[1]})).ok());
  for (int step = 1; step < 4; ++step) {
    ASSERT_TRUE(env->Step(Actions({1, 2, 3}, step)).ok());
    ASSERT_TRUE(fresh->Step(Actions({2}, step)).ok());
    EXPECT_EQ(outcome.observations.of<float>(0, 1), fresh->outcome().observations.of<float>(0, 0));
  }
}

TEST(SameStepTest, OtherModesKeepNoFinalTensors) {
  sim::InlineExecutor executor;
  for (const AutoresetMode mode : {AutoresetMode::kNextStep, AutoresetMode::kDisabled}) {
    const auto env = Make(ShortTargetRate(), 1, mode, executor);
    EXPECT_EQ(env->outcome().final_observations.num_tensors(), 0);
    EXPECT_EQ(env->outcome().final_infos.num_tensors(), 0);
  }
}

TEST(EpisodeLimitTest, TheEarlierLimitCountsInEveryMode) {
  sim::InlineExecutor executor;
  struct Case {
    int64_t asked, counts;
  };
  for (const Case& limit : {Case{0, 4}, Case{1, 1}, Case{3, 3}, Case{4, 4}, Case{5, 4}}) {
    for (const AutoresetMode mode :
         {AutoresetMode::kNextStep, AutoresetMode::kSameStep, AutoresetMode::kDisabled}) {
      const auto env = Make(ShortTargetRate(), 1, mode, executor, limit.asked);
      EXPECT_EQ(env->spec().max_episode_steps, limit.counts);
      ASSERT_TRUE(env->Reset(Seeds({1})).ok());
      for (int64_t step = 1; step <= limit.counts; ++step) {
        ASSERT_TRUE(env->Step(Actions({1}, static_cast<int>(step))).ok());
        EXPECT_EQ(env->outcome().truncated[0], step == limit.counts ? 1 : 0) << step;
      }
      EXPECT_EQ(env->outcome().began[0], mode == AutoresetMode::kSameStep ? 1 : 0);
    }
  }
}

}  // namespace
}  // namespace livnd::env
