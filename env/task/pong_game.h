// The game of Pong for one paddle, and the numbers that it is in.
#ifndef LIVND_ENV_TASK_PONG_GAME_H_
#define LIVND_ENV_TASK_PONG_GAME_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "env/spec.h"

namespace livnd::env {

// A court is 1 wide and 1 high. The paddle is at x = 0 and the wall at x = 1.
struct PongConfig {
  double ball_speed = 1.0;        // to and from the wall, courts/s
  double max_vertical = 1.0;      // up or down, courts/s, drawn at each serve and each return
  double half_paddle = 0.12;      // half its height, courts
  double max_paddle_speed = 1.5;  // courts/s

  // MakeFieldError.
  absl::Status Validate() const;
};

enum class PongEvent { kNone, kHit, kMiss };

// The game as it stands: numbers of a task's state, in this order. The wall returns the ball, and the
// ball is served from the wall, at an angle that nobody knows before: a draw from the episode's seed.
struct PongGame {
  double ball_x = 1.0, ball_y = 0.5;
  double velocity_x = 0.0, velocity_y = 0.0;  // courts/s
  double paddle_y = 0.5;                      // of its middle
  double seed_high = 0.0, seed_low = 0.0;     // of the episode, 32 bits each
  double num_draws = 0.0;                     // so far
  double num_hits = 0.0, num_misses = 0.0;
  double rally = 0.0;  // hits since the last miss

  static constexpr size_t kSize = 11;
  static PongGame Begin(const PongConfig& config, uint64_t episode_seed);
  static PongGame Of(absl::Span<const double> state);
  void Store(absl::Span<double> state) const;
  // Whether kSize numbers from outside can be a game of this configuration; the field error names
  // "task[i]".
  static absl::Status Check(const PongConfig& config, absl::Span<const double> state);

  // Uniform in [0, 1): the next one of the episode's.
  double Draw();
  // The ball leaves the wall from anywhere but its ends.
  void Serve(const PongConfig& config);
  // The paddle for step_s: `drive` is -1 .. 1 of its largest speed, up where positive.
  void MovePaddle(const PongConfig& config, double drive, double step_s);
  // The ball for step_s. A ball that is missed is served anew.
  PongEvent MoveBall(const PongConfig& config, double step_s);
};

// What is seen of a game: places from -1 to 1, velocities as parts of the largest.
inline constexpr size_t kNumPongElements = 5;
void AddPongElements(TensorSpec* observation);
void ShowPong(const PongConfig& config, const PongGame& game, absl::Span<float> elements);

}  // namespace livnd::env

#endif  // LIVND_ENV_TASK_PONG_GAME_H_
