// Pong through a culture: an agent stimulates a culture, whose activity moves the paddle.
//
// The game in which Kagan and others, Neuron 110 (2022), let cultures on an array play: two regions of
// the array are motor regions, and what they fire moves the paddle one way or the other. There the
// stimulation between them tells the culture where the ball is; here it is the agent's, who sees the
// court. PongFeedback (env/task/pong_feedback.h) is the experiment itself.
#ifndef LIVND_ENV_TASK_PONG_H_
#define LIVND_ENV_TASK_PONG_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "env/spec.h"
#include "env/task/motor_regions.h"
#include "env/task/pong_game.h"
#include "env/task/task.h"
#include "env/task/task_model.h"
#include "io/encoding/biphasic_pulse.h"
#include "io/system/system.h"

namespace livnd::env {

struct PongTaskConfig {
  double step_ms = 20.0;
  double settle_ms = 2000.0;
  uint64_t settle_seed = 1;
  io::BiphasicPulseConfig pulse = {200.0, 4.0};  // at the start of each step
  // The paddle's speed is its largest times the difference of the regions' spikes per cell over this.
  double full_speed_difference = 0.25;
  PongConfig game;
  int episode_steps = 600;

  // MakeFieldError for what TaskModel and io::BiphasicPulse do not check.
  absl::Status Validate() const;
};

// Order of EnvironmentSpec.infos; those of PongFeedback begin with the same.
enum PongInfo {
  kPongBallX,
  kPongBallY,
  kPongPaddleY,
  kPongNumHits,
  kPongNumMisses,
  kPongRally,
  kPongDownActivity,
  kPongUpActivity,
  kPongNumSpikes,
  kPongChargeNc,
  kPongFailure,
  kNumPongInfos
};

// The infos of a game on a culture, and what they say.
std::vector<TensorSpec> PongInfoSpecs(const io::System& system, double step_ms,
                                      double max_charge_nc);
struct PongShown {
  double down_activity = 0.0, up_activity = 0.0;  // spikes per cell
  double num_spikes = 0.0;
  double charge_nc = 0.0;
  bool failed = false;
};
void ShowPongInfos(const PongGame& game, const PongShown& shown, const Seen& seen);

class Pong final : public Task {
 public:
  static constexpr char kName[] = "Pong";
  // The part of the array at each end that moves the paddle.
  static constexpr double kMotorPart = 0.25;

  // Its environment on a system. Errors: TaskModel::CheckSuits' and MotorRegions::CheckSuits'.
  static absl::StatusOr<EnvironmentSpec> Offer(const io::System& system);
  // Errors: of the configuration, TaskModel::Create's and MotorRegions::Create's.
  static absl::StatusOr<std::shared_ptr<const Pong>> Create(const io::System& system,
                                                            const PongTaskConfig& config = {});

  const PongTaskConfig& config() const { return config_; }

  const EnvironmentSpec& spec() const override { return spec_; }
  const TaskModel* model() const override { return model_.get(); }
  size_t state_size() const override { return PongGame::kSize; }
  absl::Status CheckState(absl::Span<const double> state) const override {
    return PongGame::Check(config_.game, state);
  }
  void NewEpisode(const EpisodeStart& start, absl::Span<double> state,
                  const Seen& seen) const override;
  void Encode(const Action& action, absl::Span<double> state, int64_t tick,
              sim::Waveform* currents_ua) const override;
  StepEnd Finish(const Action& action, const Activity& activity, absl::Span<double> state,
                 const Seen& seen) const override;

 private:
  Pong(const PongTaskConfig& config, EnvironmentSpec spec, std::shared_ptr<const TaskModel> model,
       const io::BiphasicPulse& pulse, MotorRegions regions);

  const PongTaskConfig config_;
  const EnvironmentSpec spec_;
  const std::shared_ptr<const TaskModel> model_;
  const io::BiphasicPulse pulse_;
  const MotorRegions regions_;  // low: moves down
};

}  // namespace livnd::env

#endif  // LIVND_ENV_TASK_PONG_H_
