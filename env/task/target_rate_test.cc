#include "env/task/target_rate.h"

#include <cmath>
#include <limits>
#include <vector>

#include "base/field_error.h"
#include "base/field_error_matchers.h"
#include "env/task/task_model.h"
#include "env/task/vector_environment.h"
#include "env/tensor_batch.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"
#include "sim/culture/culture.h"
#include "sim/gang/gang.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::env {
namespace {

TEST(TargetRateTest, ElectrodesReachPointNeuronsByCurrents) {
  for (const std::string model : {"GLIF", "Izhikevich"}) {
    auto system = io::ReadSystem("systems/EI-mini");
    ASSERT_TRUE(system.ok()) << system.status();
    const std::string file = model == "GLIF" ? "glif" : "izhikevich";
    system->model = io::ModelDocument{"livn.models." + file + "." + model, {}};
    system->params["default"][model]["default"] = {{"noise-level", {model == "GLIF" ? 20.0 : 1.0}}};
    TargetRateConfig config;
    config.settle_ms = 200.0;
    const auto task = TargetRate::Create(*system, config);
    ASSERT_TRUE(task.ok()) << task.status();
    sim::InlineExecutor executor;
    const auto env = VectorEnvironment::Create(*task, 2, AutoresetMode::kDisabled, 0, executor);
    ASSERT_TRUE(env.ok());
    ResetRequest same_seed;
    same_seed.seeds = {11, 11};
    ASSERT_TRUE((*env)->Reset(same_seed).ok());
    TensorBatch actions((*task)->spec().actions, 2);
    // One electrode: those near it fire, and not all of them.
    actions.of<float>(0, 0)[3] = 1.0f;
    double stimulated = 0.0, silent = 0.0;
    for (int step = 0; step < 20; ++step) {
      ASSERT_TRUE((*env)->Step(actions).ok());
      stimulated += (*env)->outcome().infos.all<double>(kNumSpikes)[0];
      silent += (*env)->outcome().infos.all<double>(kNumSpikes)[1];
      EXPECT_EQ((*env)->outcome().failed, (std::vector<uint8_t>{0, 0}));
    }
    EXPECT_GT(stimulated, silent + 20.0) << model;
  }
}

// The promise in target_rate.h, measured on every shipped system.
TEST(TargetRateTest, TargetsLieBetweenSpontaneousFiringAndStrongStimulation) {
  for (const std::string name : {"EI-mini", "EI-100"}) {
    auto system = io::ReadSystem("systems/" + name);
    ASSERT_TRUE(system.ok()) << system.status();
    TargetRateConfig config;
    config.settle_ms = 500.0;
    config.episode_steps = 60;
    auto task = TargetRate::Create(*system, config);
    ASSERT_TRUE(task.ok()) << task.status();
    sim::InlineExecutor executor;
    auto env = VectorEnvironment::Create(*task, 2, AutoresetMode::kDisabled, 0, executor);
    ASSERT_TRUE(env.ok());
    ResetRequest same_seed;
    same_seed.seeds = {11, 11};
    ASSERT_TRUE((*env)->Reset(same_seed).ok());
    TensorBatch actions((*task)->spec().actions, 2);
    for (float& amplitude : actions.of<float>(0, 0)) amplitude = 1.0f;
    double strong = 0.0, silent = 0.0;
    for (int step = 0; step < 60; ++step) {
      ASSERT_TRUE((*env)->Step(actions).ok());
      strong += (*env)->outcome().infos.all<double>(kNumSpikes)[0];
      silent += (*env)->outcome().infos.all<double>(kNumSpikes)[1];
    }
    const double cell_seconds = static_cast<double>((*task)->model()->num_cells()) * 60 * 0.05;
    EXPECT_LT(silent / cell_seconds, config.min_target_hz) << name;
    EXPECT_GT(strong / cell_seconds, config.max_target_hz) << name;
  }
}

// Spikes of a culture at rest, without noise, that gets an action at the start of a step of an episode:
// (ticks since the start of the step, gid), and then the voltages of all cells.
std::vector<double> ResponseInStep(const TargetRate& task, const TensorBatch& action,
                                   int64_t step) {
  const TaskModel& model = *task.model();
  const auto step_ticks = std::llround(task.config().step_ms / model.culture()->dt_ms());
  // Episodes begin when the culture has settled.
  const int64_t tick =
      std::llround(TargetRateConfig().settle_ms / model.culture()->dt_ms()) + step * step_ticks;
  std::vector<double> state = model.culture()->initial_state();
  state[sim::CopyHeader::kTick] = static_cast<double>(tick);
  state[sim::CopyHeader::kNoiseLast] = 1e15;  // none is due
  sim::Gang gang(model.culture(), 1);
  gang.SetStimulusMap(sim::StimulusMode::kField, model.stimulation());
  gang.LoadCopy(0, state);
  sim::Waveform currents_ua;
  task.Encode({action, 0}, {}, tick, &currents_ua);
  EXPECT_TRUE(gang.Install(0, sim::StimulusMode::kField, currents_ua).ok());
  std::vector<sim::Spike> spikes;
  gang.Advance(step_ticks, &spikes);
  std::vector<double> response;
  for (const sim::Spike& spike : spikes) {
    response.push_back(static_cast<double>(spike.tick - tick));
    response.push_back(static_cast<double>(spike.gid));
  }
  for (const int64_t gid : model.culture()->gids()) response.push_back(gang.VoltageMv(0, gid, 0));
  return response;
}

TEST(TargetRateTest, TheSameActionActsAlikeAtEveryStepOfTheEpisode) {
  const auto system = io::ReadSystem("systems/EI-mini");
  ASSERT_TRUE(system.ok()) << system.status();
  TargetRateConfig config;
  config.settle_ms = 0.0;
  const auto task = TargetRate::Create(*system, config);
  ASSERT_TRUE(task.ok()) << task.status();
  TensorBatch action((*task)->spec().actions, 1);
  for (size_t e = 0; e < action.of<float>(0, 0).size(); ++e) {
    action.of<float>(0, 0)[e] = e % 2 == 0 ? 0.4f : -0.3f;
  }
  const std::vector<double> first = ResponseInStep(**task, action, 0);
  for (float& amplitude : action.of<float>(0, 0)) amplitude *= 0.5f;
  ASSERT_NE(ResponseInStep(**task, action, 0), first);  // the action does something
  for (float& amplitude : action.of<float>(0, 0)) amplitude *= 2.0f;
  for (int step = 1; step <= config.episode_steps; ++step) {
    EXPECT_EQ(ResponseInStep(**task, action, step), first) << "step " << step;
  }
  // So it is after a day.
  EXPECT_EQ(ResponseInStep(**task, action, 24 * 3600 * 20), first);
}

TEST(TargetRateTest, RewardIsRelativeErrorAndPriceOfCharge) {
  TargetRateConfig config;
  config.charge_price = 0.2;
  EXPECT_DOUBLE_EQ(TargetRate::Reward(config, 6.0, 8.0, {0.5f, -1.0f}), -0.25 - 0.2 * 0.75);
}

TEST(TargetRateTest, ConfigErrorsNameTheField) {
  const auto field_of = [](const TargetRateConfig& config) {
    const auto system = io::ReadSystem("systems/EI-mini");
    EXPECT_TRUE(system.ok()) << system.status();
    const auto error = FieldErrorOf(TargetRate::Create(*system, config).status());
    return error.has_value() ? error->field + " takes " + error->accepted : "no field";
  };
  TargetRateConfig config;
  config.pulse.phase_us = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(field_of(config), "pulse.phase_us takes 0 .. 12500");
  config = {};
  config.max_target_hz = 1.0;
  EXPECT_EQ(field_of(config), "max_target_hz takes 5 .. 500");
  config = {};
  config.step_ms = 0.5;
  config.pulse.phase_us = 100;
  EXPECT_EQ(field_of(config), "step_ms takes 1 .. 10000 (ms)");
  config = {};
  config.settle_ms = -1.0;
  EXPECT_EQ(field_of(config), "settle_ms takes 0 .. 1000000 (ms)");
}

}  // namespace
}  // namespace livnd::env
