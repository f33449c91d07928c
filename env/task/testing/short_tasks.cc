#include "env/task/testing/short_tasks.h"

#include <map>
#include <utility>

#include "absl/status/statusor.h"
#include "env/task/burst_suppression.h"
#include "env/task/cart_pole.h"
#include "env/task/null_task.h"
#include "env/task/pattern_evocation.h"
#include "env/task/pong.h"
#include "env/task/pong_feedback.h"
#include "env/task/target_rate.h"
#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"
#include "io/system/system.h"

namespace livnd::env {
namespace {

using Made = absl::StatusOr<std::shared_ptr<const Task>>;

// T has a Config with the two fields.
template <typename T, typename Config>
Made Short(const io::System& system) {
  Config config;
  config.settle_ms = 300.0;
  config.episode_steps = 4;
  return T::Create(system, config);
}

// The ball comes in the third of four steps.
template <typename T, typename Config>
Made ShortGame(const io::System& system) {
  Config config;
  config.settle_ms = 300.0;
  config.episode_steps = 4;
  config.step_ms = 40.0;
  config.game.ball_speed = 10.0;
  return T::Create(system, config);
}

struct Entry {
  const char* name;
  Made (*make)(const io::System& system);
};

constexpr Entry kTasks[] = {
    {"Null", [](const io::System&) -> Made { return NullTask::Create(); }},
    {"TargetRate", Short<TargetRate, TargetRateConfig>},
    {"CartPole", Short<CartPole, CartPoleConfig>},
    {"PatternEvocation", Short<PatternEvocation, PatternEvocationConfig>},
    {"BurstSuppression",
     [](const io::System& system) -> Made {
       BurstSuppressionConfig config;
       config.settle_ms = 300.0;
       config.episode_steps = 4;
       config.min_stretch_steps = 1;
       config.max_stretch_steps = 2;
       config.titration_ms = 200.0;
       config.max_titration_steps = 2;
       return BurstSuppression::Create(system, config);
     }},
    {"Pong", ShortGame<Pong, PongTaskConfig>},
    {"PongFeedback", ShortGame<PongFeedback, PongFeedbackConfig>},
};

}  // namespace

std::vector<std::string> TaskNames() {
  std::vector<std::string> names;
  for (const Entry& task : kTasks) names.emplace_back(task.name);
  return names;
}

std::shared_ptr<const Task> ShortTask(const std::string& name) {
  static auto* made = new std::map<std::string, std::shared_ptr<const Task>>();
  std::shared_ptr<const Task>& task = (*made)[name];
  if (task != nullptr) return task;
  const auto system = io::ReadSystem("systems/EI-mini");
  EXPECT_TRUE(system.ok()) << system.status();
  for (const Entry& entry : kTasks) {
    if (name != entry.name) continue;
    auto result = entry.make(*system);
    EXPECT_TRUE(result.ok()) << result.status();
    task = *std::move(result);
  }
  EXPECT_NE(task, nullptr) << name;
  return task;
}

}  // namespace livnd::env
