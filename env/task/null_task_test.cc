#include "env/task/null_task.h"

#include "env/task/vector_environment.h"
#include "env/tensor_batch.h"
#include "gtest/gtest.h"
#include "sim/executor.h"

namespace livnd::env {
namespace {

TEST(NullTaskTest, ATaskWithoutACultureRunsInCopies) {
  const auto task = NullTask::Create();
  ASSERT_TRUE(task.ok()) << task.status();
  sim::InlineExecutor executor;
  const auto env = VectorEnvironment::Create(*task, 2, AutoresetMode::kNextStep, 1, executor);
  ASSERT_TRUE(env.ok()) << env.status();
  ASSERT_TRUE((*env)->Reset({}).ok());
  TensorBatch actions((*env)->spec().actions, 2);
  for (float& x : actions.of<float>(0, 1)) x = 0.25f;
  actions.of<float>(0, 1)[7] = -1.0f;
  const Outcome& outcome = (*env)->outcome();
  for (int step = 1; step <= 1000; ++step) {
    ASSERT_TRUE((*env)->Step(actions).ok());
    ASSERT_EQ(outcome.truncated[0], step == 1000 ? 1 : 0) << step;
  }
  EXPECT_EQ(outcome.rewards, (std::vector<double>{0.0, 7 * 0.25 - 1.0}));
  EXPECT_EQ(outcome.observations.of<float>(0, 0), std::vector<float>(64, 0.0f));
  EXPECT_EQ(outcome.observations.of<float>(0, 1)[62], 0.25f);
  EXPECT_EQ(outcome.observations.of<float>(0, 1)[63], -1.0f);
  ASSERT_TRUE((*env)->Step(actions).ok());
  EXPECT_EQ(outcome.observations.of<float>(0, 1), std::vector<float>(64, 0.0f));
  EXPECT_EQ(outcome.episodes, (std::vector<int64_t>{2, 2}));
}

}  // namespace
}  // namespace livnd::env
