#include "env/task/target_rate.h"

#include <cmath>
#include <limits>
#include <map>

#include "base/field_error.h"
#include "env/task/task_model.h"
#include "env/task/vector_environment.h"
#include "env/tensor_batch.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"

namespace livnd::env {
namespace {

using ::testing::HasSubstr;

TEST(TargetRateTest, ATaskWithElectrodesNeedsCellsThatTheyReach) {
  auto system = io::ReadSystem("systems/EI-mini");
  ASSERT_TRUE(system.ok()) << system.status();
  system->model = io::ModelDocument{"livn.models.glif.GLIF", {}};
  system->params["default"]["GLIF"]["default"] = {{"noise-level", {100.0}}};
  const auto made = TargetRate::Create(*system);
  EXPECT_EQ(made.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(made.status().message(), HasSubstr("EI-mini: electrodes do not reach"));
  EXPECT_THAT(made.status().message(), HasSubstr("GLIF"));
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
