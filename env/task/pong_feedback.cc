#include "env/task/pong_feedback.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "env/task/spec_parts.h"
#include "io/encoding/encoding.h"
#include "sim/culture/culture.h"

namespace livnd::env {
namespace {

constexpr double kMostFeedbackMs = 10000.0;
// Elements of the observation; spikes follow.
constexpr size_t kDrive = kNumPongElements, kHitElement = kDrive + 1, kMissElement = kDrive + 2;

// A row of electrodes for each place between the ends.
absl::StatusOr<std::vector<std::vector<size_t>>> SitesOf(const io::System& system) {
  const std::vector<double> places = PlacesAlong(*system.electrode_array);
  std::map<int64_t, std::vector<size_t>> by_place;  // to a thousandth of the array
  for (size_t e = 0; e < places.size(); ++e) {
    if (places[e] < PongFeedback::kMotorPart || places[e] > 1.0 - PongFeedback::kMotorPart)
      continue;
    by_place[std::llround(places[e] * 1000.0)].push_back(e);
  }
  std::vector<std::vector<size_t>> sites;
  for (auto& [place, electrodes] : by_place) sites.push_back(std::move(electrodes));
  if (sites.size() >= 2) return sites;
  return InFile(system.directory + "/mea.json",
                MakeFieldError("electrode_coordinates",
                               absl::StrCat(sites.size(), " places between the array's ends"),
                               "2 or more, for a sensory area"));
}

double MaxChargeNc(const PongFeedbackConfig& config, const io::System& system) {
  const double pulses = std::ceil(config.feedback_hz * config.step_ms * 1e-3) + 1.0;
  return config.pulse.ChargeNc(pulses *
                               static_cast<double>(system.electrode_array->electrodes.size()));
}

EnvironmentSpec SpecOf(const PongFeedbackConfig& config, const io::System& system) {
  EnvironmentSpec spec = SpecOnSystem(
      PongFeedback::kName, system,
      "A culture plays Pong, and is told where the ball is by place and rate of pulses between its "
      "motor regions. Choose the pulses that it gets after a hit and after a miss; at other times "
      "actions do nothing.",
      config.step_ms, config.episode_steps);
  TensorSpec& action =
      spec.actions.emplace_back(CathodicPulseSpec(system, config.pulse.max_amplitude_ua));
  action.description =
      absl::StrCat("Amplitude of the pulses, at ", config.feedback_hz,
                   " Hz, on each electrode while there is feedback, as a fraction of ",
                   config.pulse.max_amplitude_ua, " uA; cathodic first.");
  TensorSpec& observation = spec.observations.emplace_back(ObservationSpec(
      "Places from -1 to 1, x from the paddle to the wall, y from the lower side to the upper one; "
      "velocities as parts of the largest; how the paddle moved in the last step, as a part of its "
      "largest speed; what is left of the feedback after a hit and after a miss, as a part of the "
      "longest; spikes heard by each electrode in the last step, for each cell in its reach."));
  AddPongElements(&observation);
  AddElement("paddle_drive", -1.0, 1.0, &observation);
  AddElement("feedback_after_hit", 0.0, 1.0, &observation);
  AddElement("feedback_after_miss", 0.0, 1.0, &observation);
  AddSpikesPerCell(system, config.step_ms, &observation);
  spec.infos = PongInfoSpecs(system, config.step_ms, MaxChargeNc(config, system));
  spec.infos.push_back(
      InfoSpec("feedback", "1",
               "What the next action is for: 0 nothing, 1 after a hit, 2 after a miss.", 0.0, 2.0));
  spec.reset_options = {
      {"experiment", "1: the experiment's own feedback, and no action does anything.", 0.0, 1.0},
      {"miss_feedback_ms", "How long the feedback after a miss is, instead of the setting.", 0.0,
       kMostFeedbackMs}};
  spec.settings = {{"step_ms", config.step_ms},
                   {"phase_us", config.pulse.phase_us},
                   {"max_amplitude_ua", config.pulse.max_amplitude_ua},
                   {"full_speed_difference", config.full_speed_difference},
                   {"ball_speed", config.game.ball_speed},
                   {"max_vertical", config.game.max_vertical},
                   {"half_paddle", config.game.half_paddle},
                   {"max_paddle_speed", config.game.max_paddle_speed},
                   {"min_rate_hz", config.min_rate_hz},
                   {"max_rate_hz", config.max_rate_hz},
                   {"sensory_amplitude", config.sensory_amplitude},
                   {"feedback_hz", config.feedback_hz},
                   {"hit_feedback_ms", config.hit_feedback_ms},
                   {"miss_feedback_ms", config.miss_feedback_ms},
                   {"predictable_amplitude", config.predictable_amplitude},
                   {"unpredictable_amplitude", config.unpredictable_amplitude},
                   {"unpredictable_hz", config.unpredictable_hz},
                   {"episode_steps", config.episode_steps},
                   {"settle_ms", config.settle_ms}};
  return spec;
}

}  // namespace

absl::Status PongFeedbackConfig::Validate() const {
  // Three phases a pulse: two of the pulse, and one of rest.
  const double most_hz = 1e6 / (3.0 * pulse.phase_us);
  LIVND_RETURN_IF_ERROR(CheckRange("full_speed_difference", full_speed_difference, 1e-3, 1e3));
  LIVND_RETURN_IF_ERROR(CheckRange("episode_steps", episode_steps, 1, 1e9));
  LIVND_RETURN_IF_ERROR(CheckRange("min_rate_hz", min_rate_hz, 0.0, most_hz));
  LIVND_RETURN_IF_ERROR(CheckRange("max_rate_hz", max_rate_hz, min_rate_hz, most_hz));
  LIVND_RETURN_IF_ERROR(CheckRange("sensory_amplitude", sensory_amplitude, -1.0, 1.0));
  LIVND_RETURN_IF_ERROR(CheckRange("feedback_hz", feedback_hz, 0.0, most_hz));
  LIVND_RETURN_IF_ERROR(CheckRange("hit_feedback_ms", hit_feedback_ms, 0.0, kMostFeedbackMs));
  LIVND_RETURN_IF_ERROR(CheckRange("miss_feedback_ms", miss_feedback_ms, 0.0, kMostFeedbackMs));
  LIVND_RETURN_IF_ERROR(CheckRange("predictable_amplitude", predictable_amplitude, -1.0, 1.0));
  LIVND_RETURN_IF_ERROR(CheckRange("unpredictable_amplitude", unpredictable_amplitude, -1.0, 1.0));
  LIVND_RETURN_IF_ERROR(
      CheckRange("unpredictable_hz", unpredictable_hz, 0.0, std::min(most_hz, 1e3 / step_ms)));
  return game.Validate();
}

absl::StatusOr<EnvironmentSpec> PongFeedback::Offer(const io::System& system) {
  LIVND_RETURN_IF_ERROR(TaskModel::CheckSuits(system));
  LIVND_RETURN_IF_ERROR(MotorRegions::CheckSuits(system, kMotorPart));
  LIVND_RETURN_IF_ERROR(SitesOf(system).status());
  return SpecOf(PongFeedbackConfig(), system);
}

absl::StatusOr<std::shared_ptr<const PongFeedback>> PongFeedback::Create(
    const io::System& system, const PongFeedbackConfig& config) {
  LIVND_RETURN_IF_ERROR(config.Validate());
  auto model = TaskModel::Create(system, TaskModelConfig::Of(config, 1));
  if (!model.ok()) return model.status();
  io::EncodingWindow window;
  window.num_electrodes = (*model)->num_electrodes();
  window.tick_ms = (*model)->culture()->dt_ms();
  window.num_ticks = std::llround(config.step_ms / window.tick_ms);
  LIVND_RETURN_IF_ERROR(window.Validate());
  const io::PulseSlots slots(config.pulse, window);
  LIVND_RETURN_IF_ERROR(slots.Check());
  auto regions = MotorRegions::Create(system, kMotorPart);
  if (!regions.ok()) return regions.status();
  auto sites = SitesOf(system);
  if (!sites.ok()) return sites.status();
  return std::shared_ptr<const PongFeedback>(
      new PongFeedback(config, SpecOf(config, system), *std::move(model), slots,
                       *std::move(regions), *std::move(sites)));
}

PongFeedback::PongFeedback(const PongFeedbackConfig& config, EnvironmentSpec spec,
                           std::shared_ptr<const TaskModel> model, const io::PulseSlots& slots,
                           MotorRegions regions, std::vector<std::vector<size_t>> sites)
    : config_(config),
      spec_(std::move(spec)),
      model_(std::move(model)),
      slots_(slots),
      sensory_code_({config.min_rate_hz, config.max_rate_hz, config.sensory_amplitude}),
      regions_(std::move(regions)),
      sites_(std::move(sites)) {}

int64_t PongFeedback::StepsOf(double duration_ms) const {
  return std::llround(std::ceil(duration_ms / config_.step_ms - 1e-9));
}

absl::Status PongFeedback::CheckState(absl::Span<const double> state) const {
  LIVND_RETURN_IF_ERROR(PongGame::Check(config_.game, state));
  const auto most_steps = static_cast<double>(StepsOf(kMostFeedbackMs));
  const auto field = [](size_t i) { return absl::StrCat("task[", i, "]"); };
  LIVND_RETURN_IF_ERROR(CheckWhole(field(kKind), state[kKind], kPlay, kAfterMiss));
  LIVND_RETURN_IF_ERROR(CheckWhole(field(kStepsLeft), state[kStepsLeft], 0.0, most_steps));
  LIVND_RETURN_IF_ERROR(CheckWhole(field(kExperiment), state[kExperiment], 0.0, 1.0));
  LIVND_RETURN_IF_ERROR(CheckWhole(field(kMissSteps), state[kMissSteps], 0.0, most_steps));
  const double most_nc = spec_.infos[kPongChargeNc].high[0];
  LIVND_RETURN_IF_ERROR(CheckRange(field(kCharge), state[kCharge], 0.0, most_nc));
  for (size_t i = kPhases; i < state.size(); ++i) {
    LIVND_RETURN_IF_ERROR(CheckRange(field(i), state[i], 0.0, 3.0));
  }
  return absl::OkStatus();
}

void PongFeedback::NewEpisode(const EpisodeStart& start, absl::Span<double> state,
                              const Seen& seen) const {
  PongGame::Begin(config_.game, start.seed).Store(state);
  std::fill(state.begin() + kKind, state.end(), 0.0);
  const auto option = [&](size_t i, double otherwise) {
    const auto given = start.options.find(spec_.reset_options[i].name);
    return given == start.options.end() ? otherwise : given->second;
  };
  state[kExperiment] = option(0, 0.0) >= 0.5 ? 1.0 : 0.0;
  state[kMissSteps] = static_cast<double>(StepsOf(option(1, config_.miss_feedback_ms)));
  const std::vector<sim::Spike>& spikes = model_->settled_spikes()[0];
  const absl::Span<float> heard = seen.observation<float>(0).subspan(kMissElement + 1);
  regions_.Hear(spikes, MaxSpikesPerCell(config_.step_ms), heard);
  Show(state, 0.0,
       {regions_.LowActivity(heard), regions_.HighActivity(heard),
        static_cast<double>(spikes.size()), 0.0, false},
       seen);
}

void PongFeedback::Encode(const Action& action, absl::Span<double> state, int64_t tick,
                          sim::Waveform* currents_ua) const {
  slots_.Clear(tick, currents_ua);
  PongGame game = PongGame::Of(state);
  const auto kind = static_cast<Kind>(state[kKind]);
  if (kind == kPlay) {
    EncodeBall(game, state.subspan(kPhases), currents_ua);
  } else if (state[kExperiment] != 0.0) {
    EncodeExperiment(kind, &game, currents_ua);
    game.Store(state);
  } else {
    const absl::Span<const float> amplitudes = action.get<float>(0);
    for (size_t e = 0; e < amplitudes.size(); ++e) {
      PutFeedback(e, static_cast<double>(amplitudes[e]), currents_ua);
    }
  }
  double charge_nc = 0.0;  // uA ms
  for (const double current_ua : currents_ua->samples) charge_nc += std::fabs(current_ua);
  state[kCharge] =
      std::min(charge_nc * currents_ua->sample_dt_ms, spec_.infos[kPongChargeNc].high[0]);
}

void PongFeedback::EncodeBall(const PongGame& game, absl::Span<double> phases,
                              sim::Waveform* waveform) const {
  // 0 where the ball is a court below the paddle, 1 where it is a court above.
  const double place = (1.0 + game.ball_y - game.paddle_y) / 2.0;
  const auto num_sites = static_cast<double>(sites_.size());
  const auto site = static_cast<size_t>(std::clamp(place * num_sites, 0.0, num_sites - 1.0));
  for (const size_t e : sites_[site]) {
    sensory_code_.Put(1.0 - game.ball_x, static_cast<int64_t>(e), slots_, &phases[e], waveform);
    phases[e] = std::min(phases[e], 2.0);
  }
}

void PongFeedback::PutFeedback(size_t electrode, double amplitude, sim::Waveform* waveform) const {
  if (amplitude == 0.0) return;
  const double interval_slots =
      config_.feedback_hz > 0.0 ? 1e3 / (config_.feedback_hz * slots_.slot_ms()) : 1e18;
  for (double slot = 0.0; slot <= static_cast<double>(slots_.last_onset());
       slot += interval_slots) {
    slots_.Put(static_cast<int64_t>(electrode), static_cast<int64_t>(slot), amplitude, waveform);
  }
}

void PongFeedback::EncodeExperiment(Kind kind, PongGame* game, sim::Waveform* waveform) const {
  if (kind == kAfterHit) {
    for (const std::vector<size_t>& site : sites_) {
      for (const size_t e : site) PutFeedback(e, config_.predictable_amplitude, waveform);
    }
    return;
  }
  // One pulse at most in a step, anywhere in it.
  if (game->Draw() >= config_.unpredictable_hz * config_.step_ms * 1e-3) return;
  const auto pick = [game](size_t num) {
    return std::min(static_cast<size_t>(game->Draw() * static_cast<double>(num)), num - 1);
  };
  const std::vector<size_t>& site = sites_[pick(sites_.size())];
  const size_t electrode = site[pick(site.size())];
  const size_t slot = pick(static_cast<size_t>(slots_.last_onset()) + 1);
  slots_.Put(static_cast<int64_t>(electrode), static_cast<int64_t>(slot),
             config_.unpredictable_amplitude, waveform);
}

StepEnd PongFeedback::Finish(const Action& /*action*/, const Activity& activity,
                             absl::Span<double> state, const Seen& seen) const {
  const absl::Span<float> heard = seen.observation<float>(0).subspan(kMissElement + 1);
  regions_.Hear(activity.spikes, MaxSpikesPerCell(config_.step_ms), heard);
  const double down = regions_.LowActivity(heard), up = regions_.HighActivity(heard);
  const double drive = std::clamp((up - down) / config_.full_speed_difference, -1.0, 1.0);
  const double step_s = config_.step_ms * 1e-3;
  PongGame game = PongGame::Of(state);
  game.MovePaddle(config_.game, drive, step_s);
  // The ball waits where it will be served until the feedback after a miss is over.
  PongEvent event = PongEvent::kNone;
  if (state[kKind] != kAfterMiss) event = game.MoveBall(config_.game, step_s);
  game.Store(state);
  if (state[kStepsLeft] > 0.0) state[kStepsLeft] -= 1.0;
  if (event != PongEvent::kNone) {
    state[kKind] = event == PongEvent::kHit ? kAfterHit : kAfterMiss;
    state[kStepsLeft] = event == PongEvent::kHit
                            ? static_cast<double>(StepsOf(config_.hit_feedback_ms))
                            : state[kMissSteps];
  }
  if (state[kStepsLeft] == 0.0) state[kKind] = kPlay;
  Show(state, drive,
       {down, up, static_cast<double>(activity.spikes.size()), state[kCharge], !activity.finite},
       seen);
  StepEnd end;
  end.reward = event == PongEvent::kHit ? 1.0 : event == PongEvent::kMiss ? -1.0 : 0.0;
  return end;
}

void PongFeedback::Show(absl::Span<const double> state, double drive, const PongShown& shown,
                        const Seen& seen) const {
  const PongGame game = PongGame::Of(state);
  const absl::Span<float> observation = seen.observation<float>(0);
  ShowPong(config_.game, game, observation);
  observation[kDrive] = static_cast<float>(drive);
  const auto left = [&](Kind kind, double longest) {
    return state[kKind] == kind && longest > 0.0
               ? static_cast<float>(std::min(state[kStepsLeft] / longest, 1.0))
               : 0.0f;
  };
  observation[kHitElement] = left(kAfterHit, static_cast<double>(StepsOf(config_.hit_feedback_ms)));
  observation[kMissElement] = left(kAfterMiss, state[kMissSteps]);
  ShowPongInfos(game, shown, seen);
  seen.info<double>(kPongFeedbackKind)[0] = state[kKind];
}

}  // namespace livnd::env
