// What every task promises, whatever an agent does: numbers within the spec, no net charge on any
// electrode, and episodes that are a function of seed, options and actions.
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "env/catalog.h"
#include "env/seed.h"
#include "env/task/task.h"
#include "env/task/task_model.h"
#include "env/task/testing/short_tasks.h"
#include "env/task/vector_environment.h"
#include "env/tensor_batch.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"
#include "sim/stimulus/stimulus.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

double Uniform(uint64_t n) { return UniformOf(n, SeedPurpose::kTarget); }

// Of one copy: anywhere between the bounds, and now and then on one of them.
void Act(const EnvironmentSpec& spec, int copy, uint64_t number, TensorBatch* actions) {
  for (int t = 0; t < static_cast<int>(spec.actions.size()); ++t) {
    const TensorSpec& tensor = spec.actions[static_cast<size_t>(t)];
    ASSERT_EQ(tensor.dtype, DType::kFloat32);
    size_t e = 0;
    for (float& x : actions->of<float>(t, copy)) {
      const double u = Uniform(Mix(number) + 1000 * static_cast<uint64_t>(t) + e);
      const double low = tensor.low[e], high = tensor.high[e];
      x = static_cast<float>(u < 0.1 ? low : u > 0.9 ? high : low + (u - 0.1) / 0.8 * (high - low));
      ++e;
    }
  }
}

template <typename T>
void ExpectWithin(absl::Span<const T> numbers, const TensorSpec& spec) {
  ASSERT_EQ(spec.low.size(), numbers.size()) << spec.name;
  ASSERT_EQ(spec.high.size(), numbers.size()) << spec.name;
  for (size_t e = 0; e < numbers.size(); ++e) {
    const auto x = static_cast<double>(numbers[e]);
    EXPECT_TRUE(x >= spec.low[e] && x <= spec.high[e])  // false for NaN
        << spec.name << "[" << e << "] is " << x << ", not in " << spec.low[e] << " .. "
        << spec.high[e];
  }
}

void ExpectWithin(const TensorBatch& batch, const std::vector<TensorSpec>& specs, int copy) {
  for (int t = 0; t < static_cast<int>(specs.size()); ++t) {
    const TensorSpec& spec = specs[static_cast<size_t>(t)];
    if (spec.dtype == DType::kFloat32) ExpectWithin(batch.of<float>(t, copy), spec);
    if (spec.dtype == DType::kFloat64) ExpectWithin(batch.of<double>(t, copy), spec);
  }
}

class EveryTaskTest : public testing::TestWithParam<std::string> {
 protected:
  std::shared_ptr<const Task> task() { return ShortTask(GetParam()); }
};

TEST_P(EveryTaskTest, WhatIsSeenLiesWithinTheSpec) {
  const std::vector<TensorSpec>& observations = task()->spec().observations;
  sim::InlineExecutor executor;
  auto env = VectorEnvironment::Create(task(), 3, AutoresetMode::kNextStep, 0, executor);
  ASSERT_TRUE(env.ok()) << env.status();
  ResetRequest seeded;
  seeded.seeds = {1, 2, 3};
  ASSERT_TRUE((*env)->Reset(seeded).ok());
  TensorBatch actions(task()->spec().actions, 3);
  for (uint64_t step = 0; step < 40; ++step) {
    for (int c = 0; c < 3; ++c) {
      ExpectWithin((*env)->outcome().observations, observations, c);
      ExpectWithin((*env)->outcome().infos, task()->spec().infos, c);
      EXPECT_TRUE(std::isfinite((*env)->outcome().rewards[static_cast<size_t>(c)]));
      EXPECT_EQ((*env)->outcome().failed[static_cast<size_t>(c)], 0);
      Act(task()->spec(), c, 10 * step + static_cast<uint64_t>(c), &actions);
    }
    ASSERT_TRUE((*env)->Step(actions).ok());
  }
}

TEST_P(EveryTaskTest, SpecsNameWhatTheyHold) {
  const EnvironmentSpec& spec = task()->spec();
  EXPECT_EQ(spec.task, GetParam());
  EXPECT_FALSE(spec.description.empty());
  EXPECT_GT(spec.max_episode_steps, 0);
  for (const std::vector<TensorSpec>* specs : {&spec.actions, &spec.observations, &spec.infos}) {
    for (const TensorSpec& tensor : *specs) {
      EXPECT_FALSE(tensor.unit.empty()) << tensor.name;
      EXPECT_FALSE(tensor.description.empty()) << tensor.name;
      const auto size = static_cast<size_t>(tensor.num_elements());
      EXPECT_EQ(tensor.low.size(), size) << tensor.name;
      EXPECT_EQ(tensor.high.size(), size) << tensor.name;
      if (tensor.unit == "mixed") {
        EXPECT_EQ(tensor.element_names.size(), size);
      }
    }
  }
}

TEST_P(EveryTaskTest, EveryOptionTakesItsBoundsAndNothingBeyond) {
  sim::InlineExecutor executor;
  auto env = VectorEnvironment::Create(task(), 1, AutoresetMode::kNextStep, 0, executor);
  ASSERT_TRUE(env.ok()) << env.status();
  for (const OptionSpec& option : task()->spec().reset_options) {
    EXPECT_FALSE(option.description.empty()) << option.name;
    for (const double value : {option.min, option.max}) {
      EXPECT_TRUE((*env)->Reset({{1}, {}, {{option.name, value}}}).ok()) << option.name;
      ExpectWithin((*env)->outcome().observations, task()->spec().observations, 0);
      ExpectWithin((*env)->outcome().infos, task()->spec().infos, 0);
    }
    EXPECT_FALSE((*env)->Reset({{1}, {}, {{option.name, option.max + 1.0}}}).ok()) << option.name;
  }
}

// Exactly: the currents of a step, each as long as it lasts, cancel on every electrode, and nothing
// goes on after the step.
TEST_P(EveryTaskTest, NoStepLeavesChargeOnAnElectrode) {
  const TaskModel* model = task()->model();
  if (model == nullptr) return;  // no electrodes
  std::vector<double> state(task()->state_size());
  TensorBatch observations(task()->spec().observations, 1), infos(task()->spec().infos, 1);
  const Seen seen(observations, infos, 0);
  TensorBatch actions(task()->spec().actions, 1);
  const double tick_ms = model->culture()->dt_ms();
  const auto step_ticks = std::llround(task()->spec().step_duration_ms / tick_ms);
  double delivered = 0.0;
  int64_t tick = 12345;
  for (uint64_t step = 0; step < 200; ++step) {
    if (step % 50 == 0) {
      task()->NewEpisode({step, std::map<std::string, double>()}, absl::MakeSpan(state), seen);
    }
    Act(task()->spec(), 0, step, &actions);
    sim::Waveform currents;
    task()->Encode({actions, 0}, absl::MakeSpan(state), tick, &currents);
    EXPECT_EQ(currents.timing, sim::SampleTiming::kExactTicks);
    const int64_t sample_ticks = sim::TicksOfSample(currents.sample_dt_ms, tick_ms);
    ASSERT_GE(sample_ticks, 1);
    const auto num_channels = static_cast<size_t>(currents.num_channels);
    const size_t num_samples = num_channels == 0 ? 0 : currents.samples.size() / num_channels;
    EXPECT_GE(currents.first_tick, tick);
    EXPECT_LE(currents.first_tick + static_cast<int64_t>(num_samples) * sample_ticks,
              tick + step_ticks);
    for (size_t e = 0; e < num_channels; ++e) {
      double charge = 0.0;
      for (size_t s = 0; s < num_samples; ++s) {
        charge += currents.samples[s * num_channels + e];
        delivered += std::fabs(currents.samples[s * num_channels + e]);
      }
      EXPECT_EQ(charge, 0.0) << "electrode " << e << " in step " << step;
    }
    task()->Finish({actions, 0}, {}, absl::MakeSpan(state), seen);
    tick += step_ticks;
  }
  EXPECT_GT(delivered, 0.0);
}

TEST_P(EveryTaskTest, AnEpisodeIsTheSameInAnyCompany) {
  sim::InlineExecutor one;
  sim::ThreadsExecutor two(2);
  auto alone = VectorEnvironment::Create(task(), 1, AutoresetMode::kNextStep, 1, one);
  auto crowd = VectorEnvironment::Create(task(), 5, AutoresetMode::kNextStep, 2, two);
  ASSERT_TRUE(alone.ok() && crowd.ok());
  ASSERT_TRUE((*alone)->Reset({{77}, {}, {}}).ok());
  ResetRequest seeds;
  seeds.seeds = {5, 6, 7, 77, 8};
  ASSERT_TRUE((*crowd)->Reset(seeds).ok());
  TensorBatch of_one(task()->spec().actions, 1), of_five(task()->spec().actions, 5);
  for (uint64_t step = 0; step < 12; ++step) {
    EXPECT_EQ((*alone)->outcome().observations.SaveCopy(0),
              (*crowd)->outcome().observations.SaveCopy(3));
    EXPECT_EQ((*alone)->outcome().infos.SaveCopy(0), (*crowd)->outcome().infos.SaveCopy(3));
    EXPECT_EQ((*alone)->outcome().rewards[0], (*crowd)->outcome().rewards[3]);
    EXPECT_EQ((*alone)->outcome().terminated[0], (*crowd)->outcome().terminated[3]);
    Act(task()->spec(), 0, step, &of_one);
    for (int c = 0; c < 5; ++c) {
      Act(task()->spec(), c, c == 3 ? step : step + 100 * static_cast<uint64_t>(c + 1), &of_five);
    }
    ASSERT_TRUE((*alone)->Step(of_one).ok());
    ASSERT_TRUE((*crowd)->Step(of_five).ok());
  }
}

INSTANTIATE_TEST_SUITE_P(Tasks, EveryTaskTest, testing::ValuesIn(TaskNames()),
                         [](const auto& info) { return info.param; });

// The tests above leave no task out.
TEST(ShortTasksTest, AreThoseOfTheCatalog) {
  auto system = io::ReadSystem("systems/EI-mini");
  ASSERT_TRUE(system.ok()) << system.status();
  const auto catalog = Catalog::Create({std::make_shared<const io::System>(*std::move(system))},
                                       BenchEnvironments::kOffered);
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  std::vector<std::string> offered;
  for (const EnvironmentSpec& spec : catalog->specs()) {
    if (spec.kind == EnvironmentKind::kTask) offered.push_back(spec.task);
  }
  EXPECT_THAT(TaskNames(), testing::UnorderedElementsAreArray(offered));
}

}  // namespace
}  // namespace livnd::env
