#include "env/task/target_rate.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "env/seed.h"
#include "env/task/spec_parts.h"
#include "sim/culture/culture.h"

namespace livnd::env {
namespace {

constexpr double kMaxRateHz = 500.0;  // the refractory period of 2 ms

EnvironmentSpec SpecOf(const TargetRateConfig& config, const io::System& system) {
  const auto& electrodes = system.electrode_array->electrodes;
  EnvironmentSpec spec = SpecOnSystem(
      TargetRate::kName, system,
      "Hold the culture's mean firing rate at a target that changes by episode, by one biphasic "
      "pulse "
      "per electrode and step, and spend little charge.",
      config.step_ms, config.episode_steps);
  spec.actions = {PulseAmplitudeSpec(system, config.pulse.max_amplitude_ua)};

  TensorSpec& observation = spec.observations.emplace_back(ObservationSpec(
      absl::StrCat("Spikes heard by each electrode in the last ", config.num_history_steps,
                   " steps, oldest first; the culture's mean rate per cell over the last ",
                   config.num_rate_steps, " steps, Hz; the target, Hz.")));
  const double max_count = MaxSpikesPerCell(config.step_ms) * system.num_cells();
  for (int h = config.num_history_steps - 1; h >= 0; --h) {
    for (const io::Electrode& e : electrodes) {
      AddElement(absl::StrCat("spikes_e", e.id, "_t-", h), 0.0, max_count, &observation);
    }
  }
  AddElement("rate_hz", 0.0, kMaxRateHz + 20.0, &observation);
  AddElement("target_rate_hz", config.min_target_hz, config.max_target_hz, &observation);

  const double max_charge = config.pulse.ChargeNc(static_cast<double>(electrodes.size()));
  spec.infos.resize(kNumTargetRateInfos);
  spec.infos[kRateHz] =
      InfoSpec("rate_hz", "Hz", "Mean rate per cell over the rate window.", 0.0, kMaxRateHz + 20.0);
  spec.infos[kTargetRateHz] = InfoSpec("target_rate_hz", "Hz", "The episode's target.",
                                       config.min_target_hz, config.max_target_hz);
  spec.infos[kNumSpikes] =
      InfoSpec("num_spikes", "1", "Spikes of all cells in this step.", 0.0, max_count);
  spec.infos[kChargeNc] =
      InfoSpec("charge_nc", "nC", "Charge delivered in this step, both phases.", 0.0, max_charge);
  spec.infos[kNumericalFailure] = NumericalFailureSpec();

  spec.reset_options.push_back({"target_rate_hz",
                                "Target of the new episode, instead of a random one.",
                                config.min_target_hz, config.max_target_hz});
  spec.settings = {{"step_ms", config.step_ms},
                   {"phase_us", config.pulse.phase_us},
                   {"max_amplitude_ua", config.pulse.max_amplitude_ua},
                   {"num_history_steps", config.num_history_steps},
                   {"num_rate_steps", config.num_rate_steps},
                   {"episode_steps", config.episode_steps},
                   {"settle_ms", config.settle_ms},
                   {"min_target_hz", config.min_target_hz},
                   {"max_target_hz", config.max_target_hz},
                   {"charge_price", config.charge_price}};
  return spec;
}

}  // namespace

absl::Status TargetRateConfig::Validate() const {
  for (const absl::Status& s :
       {CheckRange("num_history_steps", num_history_steps, 1, 1000),
        CheckRange("num_rate_steps", num_rate_steps, 1, 1000),
        CheckRange("episode_steps", episode_steps, 1, 1e9),
        CheckRange("min_target_hz", min_target_hz, 0.01, kMaxRateHz),
        CheckRange("max_target_hz", max_target_hz, min_target_hz, kMaxRateHz),
        CheckRange("charge_price", charge_price, 0.0, 1e6)}) {
    if (!s.ok()) return s;
  }
  // The pulse is over long before the step is.
  return CheckRange("pulse.phase_us", pulse.phase_us, 0.0, step_ms * 1000.0 / 4.0);
}

absl::StatusOr<EnvironmentSpec> TargetRate::Offer(const io::System& system) {
  LIVND_RETURN_IF_ERROR(TaskModel::CheckSuits(system));
  return SpecOf(TargetRateConfig(), system);
}

absl::StatusOr<std::shared_ptr<const TargetRate>> TargetRate::Create(
    const io::System& system, const TargetRateConfig& config) {
  if (absl::Status s = config.Validate(); !s.ok()) return s;
  auto model = TaskModel::Create(
      system,
      TaskModelConfig::Of(config, std::max(config.num_history_steps, config.num_rate_steps)));
  if (!model.ok()) return model.status();
  const auto pulse = io::BiphasicPulse::Create(config.pulse, (*model)->num_electrodes(),
                                               (*model)->culture()->dt_ms());
  if (!pulse.ok()) return pulse.status();
  io::UnitMap units = io::UnitMap::OfElectrodes((*model)->gids_in_reach());
  return std::shared_ptr<const TargetRate>(
      new TargetRate(config, SpecOf(config, system), *std::move(model), *pulse, std::move(units)));
}

TargetRate::TargetRate(const TargetRateConfig& config, EnvironmentSpec spec,
                       std::shared_ptr<const TaskModel> model, const io::BiphasicPulse& pulse,
                       io::UnitMap units)
    : config_(config),
      spec_(std::move(spec)),
      model_(std::move(model)),
      pulse_(pulse),
      units_(std::move(units)),
      num_kept_(static_cast<int>(model_->settled_spikes().size())) {
  for (const std::vector<sim::Spike>& spikes : model_->settled_spikes()) {
    std::vector<double> row(row_size(), 0.0);
    row[0] = static_cast<double>(spikes.size());
    Count(spikes, absl::MakeSpan(row));
    settled_ring_.insert(settled_ring_.end(), row.begin(), row.end());
  }
}

size_t TargetRate::state_size() const { return kRing + settled_ring_.size(); }

absl::Status TargetRate::CheckState(absl::Span<const double> state) const {
  const double oldest = state[kOldest];
  if (oldest >= 0.0 && oldest < num_kept_ && oldest == std::floor(oldest)) return absl::OkStatus();
  return MakeFieldError(absl::StrCat("task[", int{kOldest}, "]"), Exact(oldest),
                        absl::StrCat("a whole number from 0 to ", num_kept_ - 1));
}

void TargetRate::NewEpisode(const EpisodeStart& start, absl::Span<double> state,
                            const Seen& seen) const {
  const auto option = start.options.find("target_rate_hz");
  state[kTarget] =
      option != start.options.end() ? option->second : EpisodeTargetHz(config_, start.seed);
  state[kOldest] = 0.0;
  std::copy(settled_ring_.begin(), settled_ring_.end(), state.begin() + kRing);
  Show(state, 0.0, 0.0, false, seen);
}

void TargetRate::Encode(const Action& action, absl::Span<double> /*state*/, int64_t tick,
                        sim::Waveform* currents_ua) const {
  pulse_.Encode(action.get<float>(0), tick, currents_ua);
}

StepEnd TargetRate::Finish(const Action& action, const Activity& activity, absl::Span<double> state,
                           const Seen& seen) const {
  // The oldest row becomes the newest one.
  const auto oldest = static_cast<int>(state[kOldest]);
  const absl::Span<double> row =
      state.subspan(kRing + static_cast<size_t>(oldest) * row_size(), row_size());
  state[kOldest] = (oldest + 1) % num_kept_;
  std::fill(row.begin(), row.end(), 0.0);
  row[0] = static_cast<double>(activity.spikes.size());
  Count(activity.spikes, row);

  const absl::Span<const float> amplitudes = action.get<float>(0);
  Show(state, row[0], pulse_.ChargeNc(amplitudes), !activity.finite, seen);
  StepEnd end;
  end.reward = Reward(config_, RateHz(state), state[kTarget], amplitudes);
  return end;
}

void TargetRate::Count(absl::Span<const sim::Spike> spikes, absl::Span<double> row) const {
  units_.ForEach(spikes, 0, [&](const io::UnitSpike& spike) {
    row[1 + static_cast<size_t>(spike.unit)] += 1.0;
  });
}

absl::Span<const double> TargetRate::Counts(absl::Span<const double> state, int ago) const {
  const int row = (static_cast<int>(state[kOldest]) + num_kept_ - 1 - ago) % num_kept_;
  return state.subspan(kRing + static_cast<size_t>(row) * row_size(), row_size());
}

double TargetRate::RateHz(absl::Span<const double> state) const {
  double spikes = 0.0;
  for (int ago = 0; ago < config_.num_rate_steps; ++ago) spikes += Counts(state, ago)[0];
  return spikes / static_cast<double>(model_->num_cells()) /
         (config_.num_rate_steps * config_.step_ms * 1e-3);
}

void TargetRate::Show(absl::Span<const double> state, double num_spikes, double charge_nc,
                      bool failed, const Seen& seen) const {
  const double rate_hz = RateHz(state);
  auto out = seen.observation<float>(0).begin();
  for (int ago = config_.num_history_steps - 1; ago >= 0; --ago) {
    for (const double count : Counts(state, ago).subspan(1)) *out++ = static_cast<float>(count);
  }
  *out++ = static_cast<float>(rate_hz);
  *out++ = static_cast<float>(state[kTarget]);
  seen.info<double>(kRateHz)[0] = rate_hz;
  seen.info<double>(kTargetRateHz)[0] = state[kTarget];
  seen.info<double>(kNumSpikes)[0] = num_spikes;
  seen.info<double>(kChargeNc)[0] = charge_nc;
  seen.info<double>(kNumericalFailure)[0] = failed ? 1.0 : 0.0;
}

double TargetRate::Reward(const TargetRateConfig& config, double rate_hz, double target_hz,
                          absl::Span<const float> amplitudes) {
  double mean = 0.0;
  for (const float a : amplitudes) mean += std::fabs(static_cast<double>(a));
  mean /= static_cast<double>(amplitudes.size());
  return -std::fabs(rate_hz - target_hz) / target_hz - config.charge_price * mean;
}

double TargetRate::EpisodeTargetHz(const TargetRateConfig& config, uint64_t episode_seed) {
  const double u = UniformOf(episode_seed, SeedPurpose::kTarget);
  return config.min_target_hz + u * (config.max_target_hz - config.min_target_hz);
}

}  // namespace livnd::env
