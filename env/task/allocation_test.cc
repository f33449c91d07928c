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

TEST(TaskAllocationTest, NothingOnceWarm) {
  const auto system = io::ReadSystem("systems/EI-mini");
  ASSERT_TRUE(system.ok()) << system.status();
  TargetRateConfig config;
  config.settle_ms = 300.0;
  config.episode_steps = 5;
  const auto task = TargetRate::Create(*system, config);
  ASSERT_TRUE(task.ok()) << task.status();
  ASSERT_GT(sim::NumAllocations(), 0) << "nothing is counted";
  sim::BusyExecutor executor(2);
  const auto env = VectorEnvironment::Create(*task, 6, AutoresetMode::kNextStep, 1, executor);
  ASSERT_TRUE(env.ok()) << env.status();
  ResetRequest reset;
  for (uint64_t c = 0; c < 6; ++c) reset.seeds.emplace_back(c);
  ASSERT_TRUE((*env)->Reset(reset).ok());
  TensorBatch actions((*task)->spec().actions, 6);
  // Copies of a gang at different places of their episodes.
  reset.mask = {0, 1, 0, 0, 1, 1};
  const auto steps = [&](int num_steps, float amplitude) {
    for (int c = 0; c < 6; ++c) {
      for (float& x : actions.of<float>(0, c)) x = amplitude;
    }
    const int64_t before = sim::NumAllocations();
    for (int i = 0; i < num_steps; ++i) EXPECT_TRUE((*env)->Step(actions).ok());
    return sim::NumAllocations() - before;
  };
  EXPECT_GT(steps(2, 1.0f), 0);
  ASSERT_TRUE((*env)->Reset(reset).ok());
  // As strong as it gets, so that later there are fewer spikes.
  steps(12, 1.0f);
  EXPECT_EQ(steps(24, 0.3f), 0);
  EXPECT_EQ((*env)->outcome().episodes[0], (2 + 12 + 24) / 6 + 1);
}

}  // namespace
}  // namespace livnd::env
