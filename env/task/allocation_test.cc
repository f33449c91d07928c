// An environment that has run for a while allocates nothing: not by step, and not by autoreset.
#include <cstdint>
#include <memory>

#include "env/task/target_rate.h"
#include "env/task/vector_environment.h"
#include "env/tensor_batch.h"
#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"
#include "sim/testing/allocations.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

// How an episode is followed by the next one, and how many of 5 steps begin in 28 steps.
struct Mode {
  AutoresetMode autoreset;
  int64_t begun;
};

class TaskAllocationTest : public ::testing::TestWithParam<Mode> {};

TEST_P(TaskAllocationTest, NothingOnceWarm) {
  const auto system = io::ReadSystem("systems/EI-mini");
  ASSERT_TRUE(system.ok()) << system.status();
  TargetRateConfig config;
  config.settle_ms = 300.0;
  config.episode_steps = 5;
  const auto task = TargetRate::Create(*system, config);
  ASSERT_TRUE(task.ok()) << task.status();
  ASSERT_GT(sim::NumAllocations(), 0) << "nothing is counted";
  sim::BusyExecutor executor(2);
  const auto env = VectorEnvironment::Create(*task, 6, GetParam().autoreset, 1, executor);
  ASSERT_TRUE(env.ok()) << env.status();
  ResetRequest all, some;
  for (uint64_t c = 0; c < 6; ++c) all.seeds.emplace_back(c);
  some.seeds = all.seeds;
  some.mask = {0, 1, 0, 0, 1, 1};
  TensorBatch actions((*task)->spec().actions, 6);
  const auto steps = [&](int num_steps, float amplitude) {
    for (int c = 0; c < 6; ++c) {
      for (float& x : actions.of<float>(0, c)) x = amplitude;
    }
    const int64_t before = sim::NumAllocations();
    for (int i = 0; i < num_steps; ++i) {
      EXPECT_TRUE((*env)->BeginStep(actions).ok());
      while (!(*env)->ContinueStep(i % 2 == 0 ? 300 : 2000).over) {
      }
    }
    return sim::NumAllocations() - before;
  };
  // The same episodes twice: what the second time takes has been there the first time. From `some` on,
  // copies of a gang are at different places of their episodes.
  for (const bool is_warm : {false, true}) {
    ASSERT_TRUE((*env)->Reset(all).ok());
    const int64_t first = (*env)->outcome().episodes[0];
    const int64_t strong = steps(2, 1.0f);
    ASSERT_TRUE((*env)->Reset(some).ok());
    const int64_t weak = steps(26, 0.3f);
    EXPECT_EQ((*env)->outcome().episodes[0] - first, GetParam().begun);
    if (is_warm) {
      EXPECT_EQ(strong + weak, 0);
    } else {
      EXPECT_GT(strong, 0);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, TaskAllocationTest,
                         ::testing::Values(Mode{AutoresetMode::kNextStep, 28 / 6},
                                           Mode{AutoresetMode::kSameStep, 28 / 5}));

}  // namespace
}  // namespace livnd::env
