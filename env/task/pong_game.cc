#include "env/task/pong_game.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "env/seed.h"
#include "env/task/spec_parts.h"

namespace livnd::env {
namespace {

constexpr double kMargin = 0.05;  // no serve comes from nearer to a corner
constexpr double kTwoTo32 = 4294967296.0;
constexpr double kMostCounted = 9007199254740992.0;  // 2^53

}  // namespace

absl::Status PongConfig::Validate() const {
  LIVND_RETURN_IF_ERROR(CheckRange("ball_speed", ball_speed, 0.01, 10.0));
  LIVND_RETURN_IF_ERROR(CheckRange("max_vertical", max_vertical, 0.0, 10.0));
  LIVND_RETURN_IF_ERROR(CheckRange("half_paddle", half_paddle, 0.001, 0.5));
  return CheckRange("max_paddle_speed", max_paddle_speed, 0.0, 100.0);
}

PongGame PongGame::Begin(const PongConfig& config, uint64_t episode_seed) {
  PongGame game;
  game.seed_high = static_cast<double>(episode_seed >> 32);
  game.seed_low = static_cast<double>(episode_seed & 0xFFFFFFFFu);
  game.Serve(config);
  return game;
}

PongGame PongGame::Of(absl::Span<const double> state) {
  return {state[0], state[1], state[2], state[3], state[4], state[5],
          state[6], state[7], state[8], state[9], state[10]};
}

void PongGame::Store(absl::Span<double> state) const {
  const std::array<double, kSize> numbers = {ball_x,   ball_y,     velocity_x, velocity_y,
                                             paddle_y, seed_high,  seed_low,   num_draws,
                                             num_hits, num_misses, rally};
  std::copy(numbers.begin(), numbers.end(), state.begin());
}

absl::Status PongGame::Check(const PongConfig& config, absl::Span<const double> state) {
  const std::array<double, kSize> low = {0.0, 0.0, -config.ball_speed, -config.max_vertical};
  const std::array<double, kSize> high = {1.0,
                                          1.0,
                                          config.ball_speed,
                                          config.max_vertical,
                                          1.0,
                                          kTwoTo32 - 1.0,
                                          kTwoTo32 - 1.0,
                                          kMostCounted,
                                          kMostCounted,
                                          kMostCounted,
                                          kMostCounted};
  for (size_t i = 0; i < kSize; ++i) {
    const std::string field = absl::StrCat("task[", i, "]");
    LIVND_RETURN_IF_ERROR(CheckRange(field, state[i], low[i], high[i]));
    if (i >= 5) LIVND_RETURN_IF_ERROR(CheckWhole(field, state[i], low[i], high[i]));
  }
  return absl::OkStatus();
}

double PongGame::Draw() {
  const uint64_t seed = static_cast<uint64_t>(seed_high) << 32 | static_cast<uint64_t>(seed_low);
  num_draws += 1.0;
  return UniformOf(EpisodeSeed(seed, static_cast<uint64_t>(num_draws)), SeedPurpose::kServe);
}

void PongGame::Serve(const PongConfig& config) {
  ball_x = 1.0;
  ball_y = kMargin + (1.0 - 2.0 * kMargin) * Draw();
  velocity_x = -config.ball_speed;
  velocity_y = config.max_vertical * (2.0 * Draw() - 1.0);
}

void PongGame::MovePaddle(const PongConfig& config, double drive, double step_s) {
  paddle_y = std::clamp(paddle_y + drive * config.max_paddle_speed * step_s, 0.0, 1.0);
}

PongEvent PongGame::MoveBall(const PongConfig& config, double step_s) {
  const double from_x = ball_x, from_y = ball_y;
  ball_x += velocity_x * step_s;
  ball_y += velocity_y * step_s;
  PongEvent event = PongEvent::kNone;
  if (ball_x <= 0.0 && velocity_x < 0.0) {
    // Where it meets the paddle's line, before it meets a side in the same step.
    const double part = from_x / (from_x - ball_x);
    const double y = std::clamp(from_y + part * (ball_y - from_y), 0.0, 1.0);
    if (std::fabs(y - paddle_y) > config.half_paddle) {
      num_misses += 1.0;
      rally = 0.0;
      Serve(config);
      return PongEvent::kMiss;
    }
    event = PongEvent::kHit;
    num_hits += 1.0;
    rally += 1.0;
    ball_x = -ball_x;
    velocity_x = config.ball_speed;
  } else if (ball_x >= 1.0 && velocity_x > 0.0) {
    ball_x = 2.0 - ball_x;
    velocity_x = -config.ball_speed;
    velocity_y = config.max_vertical * (2.0 * Draw() - 1.0);
  }
  if (ball_y < 0.0 || ball_y > 1.0) {
    ball_y = ball_y < 0.0 ? -ball_y : 2.0 - ball_y;
    velocity_y = -velocity_y;
  }
  ball_x = std::clamp(ball_x, 0.0, 1.0);
  ball_y = std::clamp(ball_y, 0.0, 1.0);
  return event;
}

void AddPongElements(TensorSpec* observation) {
  for (const char* name : {"ball_x", "ball_y", "ball_velocity_x", "ball_velocity_y", "paddle_y"}) {
    AddElement(name, -1.0, 1.0, observation);
  }
}

void ShowPong(const PongConfig& config, const PongGame& game, absl::Span<float> elements) {
  elements[0] = static_cast<float>(2.0 * game.ball_x - 1.0);
  elements[1] = static_cast<float>(2.0 * game.ball_y - 1.0);
  elements[2] = static_cast<float>(game.velocity_x / config.ball_speed);
  elements[3] =
      config.max_vertical > 0.0 ? static_cast<float>(game.velocity_y / config.max_vertical) : 0.0f;
  elements[4] = static_cast<float>(2.0 * game.paddle_y - 1.0);
}

}  // namespace livnd::env
