#include "env/task/cart_pole.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "base/field_error_matchers.h"
#include "env/task/motor_regions.h"
#include "env/task/vector_environment.h"
#include "env/tensor_batch.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

using testing::_;

io::System Mini() {
  auto system = io::ReadSystem("systems/EI-mini");
  EXPECT_TRUE(system.ok()) << system.status();
  return *std::move(system);
}

std::shared_ptr<const CartPole> Task(int episode_steps) {
  CartPoleConfig config;
  config.settle_ms = 300.0;
  config.episode_steps = episode_steps;
  auto made = CartPole::Create(Mini(), config);
  EXPECT_TRUE(made.ok()) << made.status();
  return *std::move(made);
}

std::unique_ptr<VectorEnvironment> Make(std::shared_ptr<const CartPole> task, int num_envs,
                                        sim::Executor& executor) {
  auto made =
      VectorEnvironment::Create(std::move(task), num_envs, AutoresetMode::kDisabled, 0, executor);
  EXPECT_TRUE(made.ok()) << made.status();
  return *std::move(made);
}

void ExpectNear(const CartPoleState& got, const CartPoleState& expected) {
  EXPECT_NEAR(got.position_m, expected.position_m, 1e-15);
  EXPECT_NEAR(got.velocity_m_s, expected.velocity_m_s, 1e-15);
  EXPECT_NEAR(got.angle_rad, expected.angle_rad, 1e-15);
  EXPECT_NEAR(got.velocity_rad_s, expected.velocity_rad_s, 1e-15);
}

// Numbers of Gymnasium 1.4.0: the state of CartPole-v1 was set, and then stepped.
TEST(CartPoleTest, MovesAsGymnasiumsCartPole) {
  CartPoleState cart = {0.01, -0.02, 0.03, 0.04};
  cart = CartPole::Moved(cart, 10.0, 0.02);
  ExpectNear(cart, {0.0096, 0.17467919574755525, 0.0308, -0.2430687179600081});
  cart = CartPole::Moved(cart, 10.0, 0.02);
  ExpectNear(cart,
             {0.013093583914951107, 0.3693479760579556, 0.025938625640799837, -0.5258796280501483});
  cart = CartPole::Moved(cart, -10.0, 0.02);
  ExpectNear(cart,
             {0.02048054343611022, 0.17387081260481596, 0.01542103307979687, -0.22513741609237464});
  cart = CartPole::Moved(cart, 10.0, 0.02);
  ExpectNear(cart,
             {0.02395795968820654, 0.3687690101747617, 0.010918284757949377, -0.5129163478026587});
  ExpectNear(CartPole::Moved({2.0, 1.0, -0.2, -1.5}, -10.0, 0.02),
             {2.02, 0.807789466233749, -0.23, -1.275840103173756});
}

// What drives half of an array.
void Drive(const std::vector<size_t>& electrodes, float amplitude, absl::Span<float> action) {
  for (const size_t e : electrodes) action[e] = amplitude;
}

TEST(CartPoleTest, TheMoreActiveHalfPushes) {
  const auto task = Task(100);
  auto halves = MotorRegions::Create(Mini(), 0.5);
  ASSERT_TRUE(halves.ok()) << halves.status();
  EXPECT_THAT(halves->low(), testing::ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(halves->high(), testing::ElementsAre(4, 5, 6, 7));
  sim::InlineExecutor executor;
  const auto env = Make(task, 2, executor);
  ASSERT_TRUE(env->Reset({{1, 1}, {}, {}}).ok());
  TensorBatch actions(task->spec().actions, 2);
  Drive(halves->low(), 1.0f, actions.of<float>(0, 0));
  Drive(halves->high(), 1.0f, actions.of<float>(0, 1));
  double left_n = 0.0, right_n = 0.0;
  const TensorBatch& infos = env->outcome().infos;
  for (int step = 0; step < 5; ++step) {
    ASSERT_TRUE(env->Step(actions).ok());
    for (const int c : {0, 1}) {
      const double difference =
          infos.of<double>(kRightActivity, c)[0] - infos.of<double>(kLeftActivity, c)[0];
      EXPECT_DOUBLE_EQ(
          infos.of<double>(kForceN, c)[0],
          10.0 * std::clamp(difference / task->config().full_force_difference, -1.0, 1.0));
    }
    left_n += infos.of<double>(kForceN, 0)[0] / 5.0;
    right_n += infos.of<double>(kForceN, 1)[0] / 5.0;
  }
  EXPECT_LT(left_n, -1.0);
  EXPECT_GT(right_n, 1.0);
  EXPECT_LT(infos.of<double>(kCartVelocityMS, 0)[0], 0.0);
  EXPECT_GT(infos.of<double>(kCartVelocityMS, 1)[0], 0.0);
}

TEST(CartPoleTest, AnEpisodeEndsWhereTheCartLeavesOrThePoleFalls) {
  sim::InlineExecutor executor;
  const auto task = Task(100);
  const auto env = Make(task, 1, executor);
  const TensorBatch none(task->spec().actions, 1);
  const auto end = [&](const std::map<std::string, double>& options) {
    ResetRequest request;
    request.seeds = {3};
    request.options = options;
    EXPECT_TRUE(env->Reset(request).ok());
    EXPECT_TRUE(env->Step(none).ok());
    EXPECT_EQ(env->outcome().rewards[0], 1.0);
    return env->outcome().terminated[0] != 0;
  };
  EXPECT_FALSE(end({}));
  EXPECT_FALSE(end({{"pole_angle_rad", 0.2}, {"pole_velocity_rad_s", 0.0}}));
  EXPECT_TRUE(end({{"pole_angle_rad", 0.2}, {"pole_velocity_rad_s", 1.0}}));
  EXPECT_TRUE(end({{"pole_angle_rad", -0.2}, {"pole_velocity_rad_s", -1.0}}));
  EXPECT_TRUE(end({{"cart_position_m", 2.4}, {"cart_velocity_m_s", 1.0}}));
  EXPECT_TRUE(end({{"cart_position_m", -2.4}, {"cart_velocity_m_s", -1.0}}));
}

// The promise of docs/tasks/cart_pole.md.
TEST(CartPoleTest, WhoLooksAtThePoleKeepsItUpAndWhoDoesNotDoesNot) {
  constexpr int kCopies = 8, kSteps = 200;
  sim::ThreadsExecutor executor(2);
  const auto task = Task(kSteps);
  auto halves = MotorRegions::Create(Mini(), 0.5);
  ASSERT_TRUE(halves.ok()) << halves.status();
  const auto env = Make(task, kCopies, executor);
  // Mean return of copies that drive a half by how the pole stands, or always alike.
  const auto mean_return = [&](double gain, float always_low, float always_high) {
    ResetRequest request;
    for (uint64_t c = 0; c < kCopies; ++c) request.seeds.emplace_back(100 + c);
    EXPECT_TRUE(env->Reset(request).ok());
    double sum = 0.0;
    std::vector<uint8_t> over(kCopies, 0);
    TensorBatch actions(task->spec().actions, kCopies);
    for (int step = 0; step < kSteps; ++step) {
      for (int c = 0; c < kCopies; ++c) {
        const absl::Span<const float> seen = env->outcome().observations.of<float>(0, c);
        const double u = gain * (0.1 * seen[0] + 0.3 * seen[1] + 2.0 * seen[2] + 0.6 * seen[3]);
        const absl::Span<float> action = actions.of<float>(0, c);
        Drive(halves->low(), static_cast<float>(std::clamp(-u, 0.0, 1.0)) + always_low, action);
        Drive(halves->high(), static_cast<float>(std::clamp(u, 0.0, 1.0)) + always_high, action);
      }
      EXPECT_TRUE(env->Step(actions).ok());
      ResetRequest ended;
      ended.mask.assign(kCopies, 0);
      bool any = false;
      for (size_t c = 0; c < kCopies; ++c) {
        if (over[c] == 0) sum += env->outcome().rewards[c];
        const bool ends = env->outcome().terminated[c] != 0 || env->outcome().truncated[c] != 0;
        over[c] |= static_cast<uint8_t>(ends);
        ended.mask[c] = static_cast<uint8_t>(ends);
        any = any || ends;
      }
      if (any) {
        EXPECT_TRUE(env->Reset(ended).ok());
      }
    }
    return sum / kCopies;
  };
  EXPECT_EQ(mean_return(1.0, 0.0f, 0.0f), kSteps);
  EXPECT_LT(mean_return(0.0, 0.0f, 0.0f), 80.0);
  EXPECT_LT(mean_return(0.0, 1.0f, 1.0f), 80.0);
  EXPECT_LT(mean_return(0.0, 0.3f, 0.3f), 80.0);
  EXPECT_LT(mean_return(0.0, 1.0f, 0.0f), 40.0);
}

TEST(CartPoleTest, RefusesWhatIsNoState) {
  const auto task = Task(100);
  EXPECT_TRUE(task->CheckState({2.0, 1.0, 0.2, -3.0}).ok());
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(task->CheckState({5.0, 0.0, 0.0, 0.0}), IsFieldError("task[0]", "5", _));
  EXPECT_THAT(task->CheckState({0.0, 0.0, 0.5, 0.0}), IsFieldError("task[2]", "0.5", _));
  EXPECT_THAT(task->CheckState({0.0, 0.0, 0.0, kNan}), IsFieldError("task[3]", "nan", _));
}

TEST(CartPoleTest, ErrorsNameTheField) {
  const io::System system = Mini();
  const auto error_of = [&](auto change) {
    CartPoleConfig config;
    change(config);
    return CartPole::Create(system, config).status();
  };
  EXPECT_THAT(error_of([](CartPoleConfig& c) { c.full_force_difference = 0.0; }),
              IsFieldError("full_force_difference", "0", "0.001 .. 1000"));
  EXPECT_THAT(error_of([](CartPoleConfig& c) { c.max_force_n = 11.0; }),
              IsFieldError("max_force_n", "11", "0 .. 10"));
  EXPECT_THAT(error_of([](CartPoleConfig& c) { c.pulse.phase_us = 6000.0; }),
              IsFieldError("pulse.phase_us", "6000", "0 .. 5000"));
  EXPECT_THAT(error_of([](CartPoleConfig& c) {
                c.step_ms = 0.5;
                c.pulse.phase_us = 100.0;
              }),
              IsFieldError("step_ms", "0.5", _));
}

TEST(CartPoleTest, IsOfferedWhereBothEndsOfTheArrayHearCells) {
  const io::System system = Mini();
  EXPECT_TRUE(CartPole::Offer(system).ok());
  const auto refused = [](const io::System& system, const std::string& end) {
    const auto error = IsFileError("systems/EI-mini/mea.json", "electrode_coordinates",
                                   "an array whose " + end + " end hears no cell", _);
    EXPECT_THAT(CartPole::Offer(system).status(), error);
    EXPECT_THAT(CartPole::Create(system).status(), error);
  };
  io::System piled = system;
  for (io::Electrode& e : piled.electrode_array->electrodes) e.position_um = {0, 0, 0};
  refused(piled, "low");
  io::System deaf = system;
  for (size_t e = 4; e < 8; ++e) deaf.electrode_array->electrodes[e].position_um[1] += 5000.0;
  refused(deaf, "high");
  io::System bare = system;
  bare.electrode_array.reset();
  EXPECT_FALSE(CartPole::Offer(bare).ok());
}

}  // namespace
}  // namespace livnd::env
