// An environment that has run for a while allocates nothing: not by step, and not by autoreset.
#include <algorithm>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "env/task/testing/short_tasks.h"
#include "env/task/vector_environment.h"
#include "env/tensor_batch.h"
#include "gtest/gtest.h"
#include "sim/testing/allocations.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

// How an episode is followed by the next one, and how many of 4 steps begin in 28 steps.
struct Mode {
  AutoresetMode autoreset;
  int64_t begun;
};

class TaskAllocationTest : public ::testing::TestWithParam<std::tuple<std::string, Mode>> {};

TEST_P(TaskAllocationTest, NothingOnceWarm) {
  const Mode mode = std::get<1>(GetParam());
  const auto task = ShortTask(std::get<0>(GetParam()));
  ASSERT_GT(sim::NumAllocations(), 0) << "nothing is counted";
  sim::BusyExecutor executor(2);
  const auto env = VectorEnvironment::Create(task, 6, mode.autoreset, 1, executor);
  ASSERT_TRUE(env.ok()) << env.status();
  ResetRequest all, some;
  for (uint64_t c = 0; c < 6; ++c) all.seeds.emplace_back(c);
  some.seeds = all.seeds;
  some.mask = {0, 1, 0, 0, 1, 1};
  TensorBatch actions(task->spec().actions, 6);
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
    EXPECT_EQ((*env)->outcome().episodes[0] - first, mode.begun);
    if (is_warm) {
      EXPECT_EQ(strong + weak, 0);
    } else {
      EXPECT_GT(strong, 0);
    }
  }
}

std::vector<std::string> TasksOnCultures() {
  std::vector<std::string> names = TaskNames();
  names.erase(std::remove(names.begin(), names.end(), "Null"), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(
    Modes, TaskAllocationTest,
    ::testing::Combine(::testing::ValuesIn(TasksOnCultures()),
                       ::testing::Values(Mode{AutoresetMode::kNextStep, 28 / 5},
                                         Mode{AutoresetMode::kSameStep, 28 / 4})),
    [](const auto& info) {
      const bool same = std::get<1>(info.param).autoreset == AutoresetMode::kSameStep;
      return std::get<0>(info.param) + (same ? "SameStep" : "NextStep");
    });

}  // namespace
}  // namespace livnd::env
