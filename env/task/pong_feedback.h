// The culture plays Pong, and the agent is the feedback.
//
// After Kagan, Kitchen, Tran, Habibollahi, Khajehnejad, Parker, Bhat, Rollo, Razi and Friston, Neuron
// 110 (2022). A sensory area tells the culture where the ball is, by place and by rate; two motor
// regions move the paddle. What a culture learns from is what happens to it after a hit and after a
// miss: there, the same pulses on all of the area, or pulses at random places and times. Here the agent
// decides what happens to it then. In between nobody listens to the agent.
#ifndef LIVND_ENV_TASK_PONG_FEEDBACK_H_
#define LIVND_ENV_TASK_PONG_FEEDBACK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "env/spec.h"
#include "env/task/motor_regions.h"
#include "env/task/pong.h"
#include "env/task/pong_game.h"
#include "env/task/task.h"
#include "env/task/task_model.h"
#include "io/encoding/channel_code.h"
#include "io/encoding/pulse_slots.h"
#include "io/system/system.h"

namespace livnd::env {

struct PongFeedbackConfig {
  double step_ms = 20.0;
  double settle_ms = 2000.0;
  uint64_t settle_seed = 1;
  io::BiphasicPulseConfig pulse = {200.0, 4.0};
  PongConfig game;
  double full_speed_difference = 0.25;  // as PongTaskConfig
  int episode_steps = 1000;

  // The sensory code: pulses on the electrodes of the sensory area whose place is nearest to where the
  // ball is from the paddle, the faster the nearer the ball.
  double min_rate_hz = 4.0;
  double max_rate_hz = 40.0;
  double sensory_amplitude = 0.5;  // of max_amplitude_ua
  // Feedback: pulses as the agent says, at feedback_hz, for so long.
  double feedback_hz = 100.0;
  double hit_feedback_ms = 100.0;
  double miss_feedback_ms = 1000.0;
  // The experiment's own: predictable pulses on all of the sensory area after a hit, and unpredictable
  // ones at random electrodes of it after a miss.
  double predictable_amplitude = 0.5;
  double unpredictable_amplitude = 1.0;
  double unpredictable_hz = 5.0;

  // MakeFieldError for what TaskModel and the codes do not check.
  absl::Status Validate() const;
};

// Order of EnvironmentSpec.infos after PongInfo's.
enum PongFeedbackInfo {
  kPongFeedbackKind = static_cast<int>(kNumPongInfos),
  kNumPongFeedbackInfos
};

class PongFeedback final : public Task {
 public:
  static constexpr char kName[] = "PongFeedback";
  static constexpr double kMotorPart = 0.25;  // the sensory area lies between the motor regions

  // Its environment on a system. Errors: TaskModel::CheckSuits', MotorRegions::CheckSuits', and an
  // array without electrodes between its ends.
  static absl::StatusOr<EnvironmentSpec> Offer(const io::System& system);
  // Errors: of the configuration, TaskModel::Create's and Offer's.
  static absl::StatusOr<std::shared_ptr<const PongFeedback>> Create(
      const io::System& system, const PongFeedbackConfig& config = {});

  const PongFeedbackConfig& config() const { return config_; }
  // Indices of electrodes of the sensory area, from the low end to the high one, a row a place.
  const std::vector<std::vector<size_t>>& sites() const { return sites_; }

  const EnvironmentSpec& spec() const override { return spec_; }
  const TaskModel* model() const override { return model_.get(); }
  size_t state_size() const override {
    return kPhases + static_cast<size_t>(model_->num_electrodes());
  }
  absl::Status CheckState(absl::Span<const double> state) const override;
  void NewEpisode(const EpisodeStart& start, absl::Span<double> state,
                  const Seen& seen) const override;
  void Encode(const Action& action, absl::Span<double> state, int64_t tick,
              sim::Waveform* currents_ua) const override;
  StepEnd Finish(const Action& action, const Activity& activity, absl::Span<double> state,
                 const Seen& seen) const override;

 private:
  // A copy's state after the game: which feedback there is, for how many steps more; whether it is the
  // experiment's; what the step delivers; and the phase of each electrode's train.
  enum : size_t { kKind = PongGame::kSize, kStepsLeft, kExperiment, kMissSteps, kCharge, kPhases };
  enum Kind { kPlay, kAfterHit, kAfterMiss };

  PongFeedback(const PongFeedbackConfig& config, EnvironmentSpec spec,
               std::shared_ptr<const TaskModel> model, const io::PulseSlots& slots,
               MotorRegions regions, std::vector<std::vector<size_t>> sites);
  int64_t StepsOf(double duration_ms) const;
  // Trains at the place of the ball.
  void EncodeBall(const PongGame& game, absl::Span<double> phases, sim::Waveform* waveform) const;
  // Pulses at feedback_hz of one amplitude on one electrode.
  void PutFeedback(size_t electrode, double amplitude, sim::Waveform* waveform) const;
  void EncodeExperiment(Kind kind, PongGame* game, sim::Waveform* waveform) const;
  void Show(absl::Span<const double> state, double drive, const PongShown& shown,
            const Seen& seen) const;

  const PongFeedbackConfig config_;
  const EnvironmentSpec spec_;
  const std::shared_ptr<const TaskModel> model_;
  const io::PulseSlots slots_;
  const io::RateCode sensory_code_;
  const MotorRegions regions_;
  const std::vector<std::vector<size_t>> sites_;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_TASK_PONG_FEEDBACK_H_
