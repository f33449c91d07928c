#include "env/task/burst_suppression.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "env/seed.h"
#include "env/task/spec_parts.h"
#include "io/decoding/window.h"
#include "sim/culture/culture.h"

namespace livnd::env {
namespace {

constexpr char kAmpa[] = "EXC_EXC-dend-AMPA";
constexpr char kNmda[] = "EXC_EXC-dend-NMDA";

TaskModelConfig ModelOf(const BurstSuppressionConfig& config, double ampa_factor) {
  TaskModelConfig model = TaskModelConfig::Of(config, config.num_history_steps);
  model.weight_factors = {{kAmpa, ampa_factor}, {kNmda, config.nmda_factor}};
  return model;
}

// The part of a culture's steps that bursts by itself.
absl::StatusOr<double> BurstingSteps(const io::System& system, const BurstSuppressionConfig& config,
                                     double ampa_factor) {
  TaskModelConfig trial = ModelOf(config, ampa_factor);
  trial.settle_ms = config.titration_ms;
  trial.kept_steps = static_cast<int>(config.titration_ms / config.step_ms);
  LIVND_ASSIGN_OR_RETURN(const std::shared_ptr<const TaskModel> model,
                         TaskModel::Create(system, trial));
  const double burst = config.burst_spikes_per_cell * static_cast<double>(model->num_cells());
  double bursts = 0.0;
  for (const std::vector<sim::Spike>& spikes : model->settled_spikes()) {
    bursts += static_cast<double>(spikes.size()) >= burst ? 1.0 : 0.0;
  }
  return bursts / trial.kept_steps;
}

// Raises AMPA until the culture bursts, as an experiment raises the dose of a drug.
absl::StatusOr<double> Titrate(const io::System& system, const BurstSuppressionConfig& config) {
  double factor = 1.0, best = 1.0, most = -1.0;
  for (int step = 0; step < config.max_titration_steps; ++step, factor *= config.ampa_step) {
    LIVND_ASSIGN_OR_RETURN(const double bursting, BurstingSteps(system, config, factor));
    if (bursting > most) {
      most = bursting;
      best = factor;
    }
    if (most >= config.bursting_steps) break;
  }
  return best;
}

EnvironmentSpec SpecOf(const BurstSuppressionConfig& config, const io::System& system) {
  const auto& electrodes = system.electrode_array->electrodes;
  EnvironmentSpec spec = SpecOnSystem(
      BurstSuppression::kName, system,
      "Keep an overexcited culture free of network bursts during the stretches in which it is to "
      "be quiet, by one biphasic pulse per electrode and step, and spend little charge.",
      config.step_ms, config.episode_steps);
  spec.actions = {CathodicPulseSpec(system, config.pulse.max_amplitude_ua)};

  const double most = MaxSpikesPerCell(config.step_ms);
  TensorSpec& observation = spec.observations.emplace_back(ObservationSpec(
      "1 while bursts cost, else 0; steps until that changes, as a part of the longest stretch; "
      "spikes per cell of the culture in the last steps, newest first; spikes heard by each "
      "electrode in the last step, for each cell in its reach."));
  AddElement("is_guarded", 0.0, 1.0, &observation);
  AddElement("steps_left", 0.0, 1.0, &observation);
  for (int h = 0; h < config.num_history_steps; ++h) {
    AddElement(absl::StrCat("spikes_per_cell_t-", h), 0.0, most, &observation);
  }
  AddSpikesPerCell(system, config.step_ms, &observation);

  spec.infos.resize(kNumBurstSuppressionInfos);
  spec.infos[kIsBurst] = InfoSpec("is_burst", "1", "1 if this step bursts.", 0.0, 1.0);
  spec.infos[kIsGuarded] = InfoSpec("is_guarded", "1", "1 if a burst cost in this step.", 0.0, 1.0);
  spec.infos[kSpikesPerCell] =
      InfoSpec("spikes_per_cell", "1", "Spikes of all cells in this step, per cell.", 0.0, most);
  spec.infos[kBurstChargeNc] =
      InfoSpec("charge_nc", "nC", "Charge delivered in this step, both phases.", 0.0,
               config.pulse.ChargeNc(static_cast<double>(electrodes.size())));
  spec.infos[kBurstFailure] = NumericalFailureSpec();
  spec.settings = {{"step_ms", config.step_ms},
                   {"phase_us", config.pulse.phase_us},
                   {"max_amplitude_ua", config.pulse.max_amplitude_ua},
                   {"num_history_steps", config.num_history_steps},
                   {"episode_steps", config.episode_steps},
                   {"settle_ms", config.settle_ms},
                   {"burst_spikes_per_cell", config.burst_spikes_per_cell},
                   {"nmda_factor", config.nmda_factor},
                   {"bursting_steps", config.bursting_steps},
                   {"min_stretch_steps", config.min_stretch_steps},
                   {"max_stretch_steps", config.max_stretch_steps},
                   {"pulse_price", config.pulse_price}};
  return spec;
}

}  // namespace

absl::Status BurstSuppressionConfig::Validate() const {
  for (const absl::Status& s :
       {CheckRange("num_history_steps", num_history_steps, 1, 1000),
        CheckRange("episode_steps", episode_steps, 1, 1e9),
        CheckRange("burst_spikes_per_cell", burst_spikes_per_cell, 0.01, 1000.0),
        CheckRange("nmda_factor", nmda_factor, 0.0, 1000.0),
        CheckRange("ampa_step", ampa_step, 1.01, 10.0),
        CheckRange("bursting_steps", bursting_steps, 0.0, 1.0),
        CheckRange("titration_ms", titration_ms, step_ms, 1000.0 * step_ms),
        CheckRange("max_titration_steps", max_titration_steps, 1, 100),
        CheckRange("min_stretch_steps", min_stretch_steps, 1, 1e6),
        CheckRange("max_stretch_steps", max_stretch_steps, min_stretch_steps, 1e6),
        CheckRange("pulse_price", pulse_price, 0.0, 1e6),
        CheckRange("pulse.max_amplitude_ua", pulse.max_amplitude_ua, 1e-3, 1e3)}) {
    if (!s.ok()) return s;
  }
  // The pulse is over long before the step is.
  return CheckRange("pulse.phase_us", pulse.phase_us, 0.0, step_ms * 1000.0 / 4.0);
}

absl::StatusOr<EnvironmentSpec> BurstSuppression::Offer(const io::System& system) {
  const BurstSuppressionConfig config;
  LIVND_RETURN_IF_ERROR(TaskModel::CheckSuits(system, ModelOf(config, 1.0)));
  return SpecOf(config, system);
}

absl::StatusOr<std::shared_ptr<const BurstSuppression>> BurstSuppression::Create(
    const io::System& system, const BurstSuppressionConfig& config) {
  LIVND_RETURN_IF_ERROR(config.Validate());
  LIVND_ASSIGN_OR_RETURN(const double ampa_factor, Titrate(system, config));
  LIVND_ASSIGN_OR_RETURN(std::shared_ptr<const TaskModel> model,
                         TaskModel::Create(system, ModelOf(config, ampa_factor)));
  LIVND_ASSIGN_OR_RETURN(
      const io::BiphasicPulse pulse,
      io::BiphasicPulse::Create(config.pulse, model->num_electrodes(), model->culture()->dt_ms()));
  // One bin a step, with a threshold that nothing else moves.
  io::DecodingWindow window;
  window.num_units = model->num_cells();
  window.tick_ms = model->culture()->dt_ms();
  window.num_ticks = std::llround(config.step_ms / window.tick_ms);
  io::NetworkBurstsConfig bursts;
  bursts.bin_ms = config.step_ms;
  bursts.mad_k = 0.0;
  bursts.min_floor = config.burst_spikes_per_cell * static_cast<double>(model->num_cells());
  bursts.min_floor_fraction = 0.0;
  LIVND_ASSIGN_OR_RETURN(std::unique_ptr<const io::NetworkBursts> decoding,
                         io::MakeDecoding<io::NetworkBursts>(bursts, window));
  return std::shared_ptr<const BurstSuppression>(new BurstSuppression(
      config, SpecOf(config, system), std::move(model), pulse, std::move(decoding), ampa_factor));
}

BurstSuppression::BurstSuppression(const BurstSuppressionConfig& config, EnvironmentSpec spec,
                                   std::shared_ptr<const TaskModel> model,
                                   const io::BiphasicPulse& pulse,
                                   std::unique_ptr<const io::NetworkBursts> bursts,
                                   double ampa_factor)
    : config_(config),
      spec_(std::move(spec)),
      model_(std::move(model)),
      pulse_(pulse),
      bursts_(std::move(bursts)),
      ampa_factor_(ampa_factor),
      electrodes_(io::UnitMap::OfElectrodes(model_->gids_in_reach())),
      cells_(io::UnitMap::OfCells(model_->culture()->gids())) {
  for (const std::vector<uint32_t>& gids : model_->gids_in_reach()) {
    cells_heard_.push_back(static_cast<double>(gids.size()));
  }
  for (const std::vector<sim::Spike>& spikes : model_->settled_spikes()) {
    settled_history_.insert(settled_history_.begin(), static_cast<double>(spikes.size()) /
                                                          static_cast<double>(model_->num_cells()));
  }
}

size_t BurstSuppression::state_size() const {
  return bursts_at() + bursts_->state_size() + bursts_->num_values();
}

absl::Status BurstSuppression::CheckState(absl::Span<const double> state) const {
  const auto check = [&](size_t i, double most) {
    const double x = state[i];
    if (x >= 0.0 && x <= most && x == std::floor(x)) return absl::OkStatus();
    return MakeFieldError(absl::StrCat("task[", i, "]"), Exact(x),
                          absl::StrCat("a whole number from 0 to ", Exact(most)));
  };
  LIVND_RETURN_IF_ERROR(check(kGuarded, 1.0));
  LIVND_RETURN_IF_ERROR(check(kStepsLeft, config_.max_stretch_steps));
  LIVND_RETURN_IF_ERROR(check(kSeedLow, 4294967295.0));
  LIVND_RETURN_IF_ERROR(check(kSeedHigh, 4294967295.0));
  return check(kStretch, 1e15);
}

double BurstSuppression::StretchSteps(uint64_t episode_seed, uint64_t n) const {
  const double num = 1.0 + config_.max_stretch_steps - config_.min_stretch_steps;
  return config_.min_stretch_steps +
         std::floor(num * UniformOf(Mix(episode_seed) + n, SeedPurpose::kGuard));
}

void BurstSuppression::NewEpisode(const EpisodeStart& start, absl::Span<double> state,
                                  const Seen& seen) const {
  std::fill(state.begin(), state.end(), 0.0);
  state[kGuarded] = UniformOf(start.seed, SeedPurpose::kGuard) < 0.5 ? 1.0 : 0.0;
  state[kSeedLow] = static_cast<double>(start.seed & 0xFFFFFFFFu);
  state[kSeedHigh] = static_cast<double>(start.seed >> 32);
  state[kStepsLeft] = StretchSteps(start.seed, 0);
  std::copy(settled_history_.begin(), settled_history_.end(), state.begin() + kHistory);
  Hear(model_->settled_spikes().back(), state);
  Show(state, seen);
  for (int i = 0; i < kNumBurstSuppressionInfos; ++i) seen.info<double>(i)[0] = 0.0;
}

void BurstSuppression::Encode(const Action& action, absl::Span<double> /*state*/, int64_t tick,
                              sim::Waveform* currents_ua) const {
  pulse_.Encode(action.get<float>(0), tick, currents_ua);
}

void BurstSuppression::Hear(absl::Span<const sim::Spike> spikes, absl::Span<double> state) const {
  const absl::Span<double> heard = state.subspan(heard_at(), num_electrodes());
  std::fill(heard.begin(), heard.end(), 0.0);
  electrodes_.ForEach(spikes, 0, [&](const io::UnitSpike& spike) {
    const auto e = static_cast<size_t>(spike.unit);
    heard[e] += 1.0 / cells_heard_[e];
  });
}

bool BurstSuppression::IsBurst(const Activity& activity, absl::Span<double> state) const {
  const absl::Span<double> kept = state.subspan(bursts_at(), bursts_->state_size());
  const absl::Span<double> values = state.subspan(bursts_at() + bursts_->state_size());
  bursts_->Begin(kept);
  cells_.ForEach(activity.spikes, activity.first_tick,
                 [&](const io::UnitSpike& spike) { bursts_->AddSpike(spike, kept); });
  // Cannot fail: it keeps no spikes.
  bursts_->Finish(kept, values).IgnoreError();
  return values[0] > 0.0;
}

StepEnd BurstSuppression::Finish(const Action& action, const Activity& activity,
                                 absl::Span<double> state, const Seen& seen) const {
  const double spikes_per_cell =
      static_cast<double>(activity.spikes.size()) / static_cast<double>(model_->num_cells());
  const bool is_burst = IsBurst(activity, state);
  const bool is_guarded = state[kGuarded] > 0.0;
  const double charge_nc = pulse_.ChargeNc(action.get<float>(0));
  seen.info<double>(kIsBurst)[0] = is_burst ? 1.0 : 0.0;
  seen.info<double>(kIsGuarded)[0] = is_guarded ? 1.0 : 0.0;
  seen.info<double>(kSpikesPerCell)[0] = spikes_per_cell;
  seen.info<double>(kBurstChargeNc)[0] = charge_nc;
  seen.info<double>(kBurstFailure)[0] = activity.finite ? 0.0 : 1.0;

  const absl::Span<double> history =
      state.subspan(kHistory, static_cast<size_t>(config_.num_history_steps));
  std::copy_backward(history.begin(), history.end() - 1, history.end());
  history[0] = spikes_per_cell;
  Hear(activity.spikes, state);
  state[kStepsLeft] -= 1.0;
  if (state[kStepsLeft] < 1.0) {
    const uint64_t seed =
        static_cast<uint64_t>(state[kSeedHigh]) << 32 | static_cast<uint64_t>(state[kSeedLow]);
    state[kGuarded] = 1.0 - state[kGuarded];
    state[kStretch] += 1.0;
    state[kStepsLeft] = StretchSteps(seed, static_cast<uint64_t>(state[kStretch]));
  }
  Show(state, seen);
  StepEnd end;
  end.reward = (is_burst && is_guarded ? -1.0 : 0.0) -
               config_.pulse_price * charge_nc / config_.pulse.ChargeNc(1.0);
  return end;
}

void BurstSuppression::Show(absl::Span<const double> state, const Seen& seen) const {
  auto out = seen.observation<float>(0).begin();
  *out++ = static_cast<float>(state[kGuarded]);
  *out++ = static_cast<float>(state[kStepsLeft] / config_.max_stretch_steps);
  for (const double number : state.subspan(kHistory, heard_at() - kHistory)) {
    *out++ = static_cast<float>(number);
  }
  for (const double number : state.subspan(heard_at(), num_electrodes())) {
    *out++ = static_cast<float>(number);
  }
}

}  // namespace livnd::env
