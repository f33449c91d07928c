#include "env/task/pong.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "env/task/spec_parts.h"

namespace livnd::env {
namespace {

constexpr double kMostCounted = 1e9;
constexpr size_t kDrive = kNumPongElements;  // element of the observation; spikes follow

EnvironmentSpec SpecOf(const PongTaskConfig& config, const io::System& system) {
  EnvironmentSpec spec = SpecOnSystem(
      Pong::kName, system,
      "Hit the ball with a paddle that a culture moves, by one biphasic pulse per electrode and "
      "step: "
      "up, the more the high end of the array is more active than the low one.",
      config.step_ms, config.episode_steps);
  spec.actions = {CathodicPulseSpec(system, config.pulse.max_amplitude_ua)};
  TensorSpec& observation = spec.observations.emplace_back(ObservationSpec(
      "Places from -1 to 1, x from the paddle to the wall, y from the lower side to the upper one; "
      "velocities as parts of the largest; how the paddle moved in the last step, as a part of its "
      "largest speed; spikes heard by each electrode in the last step, for each cell in its "
      "reach."));
  AddPongElements(&observation);
  AddElement("paddle_drive", -1.0, 1.0, &observation);
  AddSpikesPerCell(system, config.step_ms, &observation);
  spec.infos = PongInfoSpecs(
      system, config.step_ms,
      config.pulse.ChargeNc(static_cast<double>(system.electrode_array->electrodes.size())));
  spec.settings = {{"step_ms", config.step_ms},
                   {"phase_us", config.pulse.phase_us},
                   {"max_amplitude_ua", config.pulse.max_amplitude_ua},
                   {"full_speed_difference", config.full_speed_difference},
                   {"ball_speed", config.game.ball_speed},
                   {"max_vertical", config.game.max_vertical},
                   {"half_paddle", config.game.half_paddle},
                   {"max_paddle_speed", config.game.max_paddle_speed},
                   {"episode_steps", config.episode_steps},
                   {"settle_ms", config.settle_ms}};
  return spec;
}

}  // namespace

absl::Status PongTaskConfig::Validate() const {
  LIVND_RETURN_IF_ERROR(CheckRange("full_speed_difference", full_speed_difference, 1e-3, 1e3));
  LIVND_RETURN_IF_ERROR(CheckRange("episode_steps", episode_steps, 1, 1e9));
  LIVND_RETURN_IF_ERROR(game.Validate());
  // The pulse is over long before the step is.
  return CheckRange("pulse.phase_us", pulse.phase_us, 0.0, step_ms * 1000.0 / 4.0);
}

std::vector<TensorSpec> PongInfoSpecs(const io::System& system, double step_ms,
                                      double max_charge_nc) {
  const double most = MaxSpikesPerCell(step_ms);
  return {InfoSpec("ball_x", "court", "From the paddle's line to the wall.", 0.0, 1.0),
          InfoSpec("ball_y", "court", "From the lower side to the upper one.", 0.0, 1.0),
          InfoSpec("paddle_y", "court",
                   "The paddle's middle, from the lower side to the upper one.", 0.0, 1.0),
          InfoSpec("num_hits", "1", "Hits in this episode.", 0.0, kMostCounted),
          InfoSpec("num_misses", "1", "Misses in this episode.", 0.0, kMostCounted),
          InfoSpec("rally", "1", "Hits since the last miss.", 0.0, kMostCounted),
          InfoSpec("down_activity", "1", "Spikes per cell heard at the low end, in this step.", 0.0,
                   most),
          InfoSpec("up_activity", "1", "Spikes per cell heard at the high end, in this step.", 0.0,
                   most),
          InfoSpec("num_spikes", "1", "Spikes of all cells in this step.", 0.0,
                   most * static_cast<double>(system.num_cells())),
          InfoSpec("charge_nc", "nC", "Charge delivered in this step, both phases.", 0.0,
                   max_charge_nc),
          NumericalFailureSpec()};
}

void ShowPongInfos(const PongGame& game, const PongShown& shown, const Seen& seen) {
  seen.info<double>(kPongBallX)[0] = game.ball_x;
  seen.info<double>(kPongBallY)[0] = game.ball_y;
  seen.info<double>(kPongPaddleY)[0] = game.paddle_y;
  seen.info<double>(kPongNumHits)[0] = std::min(game.num_hits, kMostCounted);
  seen.info<double>(kPongNumMisses)[0] = std::min(game.num_misses, kMostCounted);
  seen.info<double>(kPongRally)[0] = std::min(game.rally, kMostCounted);
  seen.info<double>(kPongDownActivity)[0] = shown.down_activity;
  seen.info<double>(kPongUpActivity)[0] = shown.up_activity;
  seen.info<double>(kPongNumSpikes)[0] = shown.num_spikes;
  seen.info<double>(kPongChargeNc)[0] = shown.charge_nc;
  seen.info<double>(kPongFailure)[0] = shown.failed ? 1.0 : 0.0;
}

absl::StatusOr<EnvironmentSpec> Pong::Offer(const io::System& system) {
  LIVND_RETURN_IF_ERROR(TaskModel::CheckSuits(system));
  LIVND_RETURN_IF_ERROR(MotorRegions::CheckSuits(system, kMotorPart));
  return SpecOf(PongTaskConfig(), system);
}

absl::StatusOr<std::shared_ptr<const Pong>> Pong::Create(const io::System& system,
                                                         const PongTaskConfig& config) {
  LIVND_RETURN_IF_ERROR(config.Validate());
  auto model = TaskModel::Create(system, TaskModelConfig::Of(config, 1));
  if (!model.ok()) return model.status();
  const auto pulse = io::BiphasicPulse::Create(config.pulse, (*model)->num_electrodes(),
                                               (*model)->culture()->dt_ms());
  if (!pulse.ok()) return pulse.status();
  auto regions = MotorRegions::Create(system, kMotorPart);
  if (!regions.ok()) return regions.status();
  return std::shared_ptr<const Pong>(
      new Pong(config, SpecOf(config, system), *std::move(model), *pulse, *std::move(regions)));
}

Pong::Pong(const PongTaskConfig& config, EnvironmentSpec spec,
           std::shared_ptr<const TaskModel> model, const io::BiphasicPulse& pulse,
           MotorRegions regions)
    : config_(config),
      spec_(std::move(spec)),
      model_(std::move(model)),
      pulse_(pulse),
      regions_(std::move(regions)) {}

void Pong::NewEpisode(const EpisodeStart& start, absl::Span<double> state, const Seen& seen) const {
  const PongGame game = PongGame::Begin(config_.game, start.seed);
  game.Store(state);
  const std::vector<sim::Spike>& spikes = model_->settled_spikes()[0];
  const absl::Span<float> observation = seen.observation<float>(0);
  const absl::Span<float> heard = observation.subspan(kDrive + 1);
  regions_.Hear(spikes, MaxSpikesPerCell(config_.step_ms), heard);
  ShowPong(config_.game, game, observation);
  observation[kDrive] = 0.0f;
  ShowPongInfos(game,
                {regions_.LowActivity(heard), regions_.HighActivity(heard),
                 static_cast<double>(spikes.size()), 0.0, false},
                seen);
}

void Pong::Encode(const Action& action, absl::Span<double> /*state*/, int64_t tick,
                  sim::Waveform* currents_ua) const {
  pulse_.Encode(action.get<float>(0), tick, currents_ua);
}

StepEnd Pong::Finish(const Action& action, const Activity& activity, absl::Span<double> state,
                     const Seen& seen) const {
  const absl::Span<float> observation = seen.observation<float>(0);
  const absl::Span<float> heard = observation.subspan(kDrive + 1);
  regions_.Hear(activity.spikes, MaxSpikesPerCell(config_.step_ms), heard);
  const double down = regions_.LowActivity(heard), up = regions_.HighActivity(heard);
  const double drive = std::clamp((up - down) / config_.full_speed_difference, -1.0, 1.0);
  const double step_s = config_.step_ms * 1e-3;
  PongGame game = PongGame::Of(state);
  game.MovePaddle(config_.game, drive, step_s);
  const PongEvent event = game.MoveBall(config_.game, step_s);
  game.Store(state);

  ShowPong(config_.game, game, observation);
  observation[kDrive] = static_cast<float>(drive);
  ShowPongInfos(game,
                {down, up, static_cast<double>(activity.spikes.size()),
                 pulse_.ChargeNc(action.get<float>(0)), !activity.finite},
                seen);
  StepEnd end;
  end.reward = event == PongEvent::kHit ? 1.0 : event == PongEvent::kMiss ? -1.0 : 0.0;
  return end;
}

}  // namespace livnd::env
