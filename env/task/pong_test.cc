#include "env/task/pong.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/field_error_matchers.h"
#include "env/task/motor_regions.h"
#include "env/task/pong_game.h"
#include "env/task/vector_environment.h"
#include "env/tensor_batch.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/neuroh5/read_system.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

using testing::_;
using testing::HasSubstr;

constexpr double kStepS = 0.02;

TEST(PongGameTest, TheBallComesIsHitReturnsAndIsMissed) {
  PongConfig config;
  config.ball_speed = 1.0;
  PongGame game = PongGame::Begin(config, 7);
  EXPECT_EQ(game.ball_x, 1.0);
  EXPECT_EQ(game.velocity_x, -1.0);
  // The paddle is where the ball arrives.
  int steps = 0;
  PongEvent event = PongEvent::kNone;
  while (event == PongEvent::kNone) {
    game.paddle_y = game.ball_y;
    event = game.MoveBall(config, kStepS);
    ASSERT_LE(++steps, 51);
  }
  EXPECT_EQ(event, PongEvent::kHit);
  EXPECT_GE(steps, 50);
  EXPECT_EQ(game.num_hits, 1.0);
  EXPECT_EQ(game.rally, 1.0);
  EXPECT_EQ(game.velocity_x, 1.0);
  // The wall returns it; the paddle is elsewhere.
  const double velocity_y = game.velocity_y;
  steps = 0;
  event = PongEvent::kNone;
  while (event == PongEvent::kNone) {
    game.paddle_y = game.ball_y > 0.5 ? 0.0 : 1.0;
    event = game.MoveBall(config, kStepS);
    ASSERT_LE(++steps, 101);
    EXPECT_GE(game.ball_y, 0.0);
    EXPECT_LE(game.ball_y, 1.0);
  }
  EXPECT_EQ(event, PongEvent::kMiss);
  EXPECT_NE(std::fabs(game.velocity_y), std::fabs(velocity_y));
  EXPECT_EQ(game.num_misses, 1.0);
  EXPECT_EQ(game.rally, 0.0);
  EXPECT_EQ(game.ball_x, 1.0);  // served anew
}

TEST(PongGameTest, SidesReflect) {
  const PongConfig config;
  PongGame game = PongGame::Begin(config, 7);
  game.ball_x = 0.5;
  game.ball_y = 0.99;
  game.velocity_y = 1.0;
  game.MoveBall(config, kStepS);
  EXPECT_NEAR(game.ball_y, 0.99, 1e-12);
  EXPECT_EQ(game.velocity_y, -1.0);
  game.ball_y = 0.005;
  game.MoveBall(config, kStepS);
  EXPECT_NEAR(game.ball_y, 0.015, 1e-12);
  EXPECT_EQ(game.velocity_y, 1.0);
}

TEST(PongGameTest, HitsReachToThePaddlesEnds) {
  PongConfig config;
  const auto event_at = [&](double paddle_y) {
    PongGame game = PongGame::Begin(config, 7);
    game.ball_x = 0.01;
    game.ball_y = 0.5;
    game.velocity_y = 0.5;  // meets the line at 0.505
    game.paddle_y = paddle_y;
    return game.MoveBall(config, kStepS);
  };
  EXPECT_EQ(event_at(0.505 + config.half_paddle - 1e-9), PongEvent::kHit);
  EXPECT_EQ(event_at(0.505 + config.half_paddle + 1e-9), PongEvent::kMiss);
  EXPECT_EQ(event_at(0.505 - config.half_paddle + 1e-9), PongEvent::kHit);
  EXPECT_EQ(event_at(0.505 - config.half_paddle - 1e-9), PongEvent::kMiss);
}

TEST(PongGameTest, PaddlesStayOnTheCourt) {
  const PongConfig config;
  PongGame game = PongGame::Begin(config, 7);
  game.MovePaddle(config, 0.5, kStepS);
  EXPECT_DOUBLE_EQ(game.paddle_y, 0.5 + 0.5 * config.max_paddle_speed * kStepS);
  for (int i = 0; i < 100; ++i) game.MovePaddle(config, 1.0, kStepS);
  EXPECT_EQ(game.paddle_y, 1.0);
  for (int i = 0; i < 100; ++i) game.MovePaddle(config, -1.0, kStepS);
  EXPECT_EQ(game.paddle_y, 0.0);
}

TEST(PongGameTest, ServesAreDrawnFromTheSeedAndTheirNumber) {
  const PongConfig config;
  const auto serves = [&](uint64_t seed) {
    std::vector<double> drawn;
    PongGame game = PongGame::Begin(config, seed);
    for (int i = 0; i < 3; ++i) {
      drawn.push_back(game.ball_y);
      drawn.push_back(game.velocity_y);
      game.Serve(config);
    }
    return drawn;
  };
  const std::vector<double> first = serves(0xFFFFFFFFFFFFFFFFu);
  EXPECT_EQ(serves(0xFFFFFFFFFFFFFFFFu), first);
  EXPECT_NE(serves(0xFFFFFFFEFFFFFFFFu), first);
  EXPECT_NE(serves(0xFFFFFFFFFFFFFFFEu), first);
  for (size_t i = 1; i < first.size(); ++i) EXPECT_NE(first[i], first[i - 1]);
}

TEST(PongGameTest, RefusesWhatIsNoGame) {
  const PongConfig config;
  std::vector<double> state(PongGame::kSize);
  PongGame::Begin(config, 123456789012345678u).Store(absl::MakeSpan(state));
  EXPECT_TRUE(PongGame::Check(config, state).ok());
  const auto error = [&](size_t i, double value) {
    std::vector<double> changed = state;
    changed[i] = value;
    return PongGame::Check(config, changed);
  };
  EXPECT_THAT(error(0, 1.5), IsFieldError("task[0]", "1.5", "0 .. 1"));
  EXPECT_THAT(error(3, std::nan("")), IsFieldError("task[3]", "nan", "-1 .. 1"));
  EXPECT_THAT(error(5, 0.5), IsFieldError("task[5]", "0.5", HasSubstr("whole number")));
  EXPECT_THAT(error(6, 4294967296.0), IsFieldError("task[6]", _, _));
  EXPECT_THAT(error(8, -1.0), IsFieldError("task[8]", "-1", _));
}

io::System Mini() {
  auto system = io::ReadSystem("systems/EI-mini");
  EXPECT_TRUE(system.ok()) << system.status();
  return *std::move(system);
}

// The promise of docs/tasks/pong.md.
TEST(PongTest, WhoFollowsTheBallHitsItAndWhoDoesNotMisses) {
  constexpr int kCopies = 6, kSteps = 300;
  PongTaskConfig config;
  config.settle_ms = 300.0;
  config.episode_steps = kSteps;
  const auto task = Pong::Create(Mini(), config);
  ASSERT_TRUE(task.ok()) << task.status();
  const auto regions = MotorRegions::Create(Mini(), Pong::kMotorPart);
  ASSERT_TRUE(regions.ok()) << regions.status();
  sim::ThreadsExecutor executor(2);
  auto env = VectorEnvironment::Create(*task, kCopies, AutoresetMode::kNextStep, 0, executor);
  ASSERT_TRUE(env.ok()) << env.status();
  const auto mean_return = [&](double gain, float always) {
    ResetRequest request;
    for (uint64_t c = 0; c < kCopies; ++c) request.seeds.emplace_back(100 + c);
    EXPECT_TRUE((*env)->Reset(request).ok());
    double sum = 0.0;
    TensorBatch actions((*task)->spec().actions, kCopies);
    for (int step = 0; step < kSteps; ++step) {
      for (int c = 0; c < kCopies; ++c) {
        const absl::Span<const float> seen = (*env)->outcome().observations.of<float>(0, c);
        const double u = gain * (seen[1] - seen[4]);
        const absl::Span<float> action = actions.of<float>(0, c);
        std::fill(action.begin(), action.end(), always);
        for (const size_t e : regions->low())
          action[e] += static_cast<float>(std::clamp(-u, 0.0, 1.0));
        for (const size_t e : regions->high())
          action[e] += static_cast<float>(std::clamp(u, 0.0, 1.0));
      }
      EXPECT_TRUE((*env)->Step(actions).ok());
      for (int c = 0; c < kCopies; ++c) sum += (*env)->outcome().rewards[static_cast<size_t>(c)];
    }
    return sum / kCopies;
  };
  const double best_constant =
      std::max({mean_return(0.0, 0.0f), mean_return(0.0, 0.3f), mean_return(0.0, 1.0f)});
  EXPECT_GT(mean_return(4.0, 0.0f), best_constant + 2.0);
  EXPECT_LT(best_constant, 0.0);
}

TEST(PongTest, ErrorsNameTheField) {
  const io::System system = Mini();
  const auto error_of = [&](auto change) {
    PongTaskConfig config;
    change(config);
    return Pong::Create(system, config).status();
  };
  EXPECT_THAT(error_of([](PongTaskConfig& c) { c.full_speed_difference = 0.0; }),
              IsFieldError("full_speed_difference", "0", _));
  EXPECT_THAT(error_of([](PongTaskConfig& c) { c.game.ball_speed = 0.0; }),
              IsFieldError("ball_speed", "0", "0.01 .. 10"));
  EXPECT_THAT(error_of([](PongTaskConfig& c) { c.game.half_paddle = 0.6; }),
              IsFieldError("half_paddle", "0.6", _));
  io::System bare = system;
  bare.electrode_array.reset();
  EXPECT_FALSE(Pong::Offer(bare).ok());
}

}  // namespace
}  // namespace livnd::env
