#include "env/task/task_model.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "io/culture/culture_setup.h"
#include "io/culture/params.h"
#include "io/culture/stimulation_map.h"
#include "io/device/electrode_array.h"

namespace livnd::env {

absl::StatusOr<std::shared_ptr<const EnvironmentModel>> EnvironmentModel::Create(
    const io::System& system, const TargetRateConfig& config) {
  if (absl::Status s = config.Validate(); !s.ok()) return s;
  if (!system.electrode_array.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat(system.name, ": has no electrodes (mea.json)"));
  }
  auto setup = io::SetUpCulture(system);
  if (!setup.ok()) return setup.status();
  const auto params = io::StoredParams(system, setup->params_key);
  if (!params.ok()) return absl::InvalidArgumentError(params.status().message());
  if (absl::Status s = io::ApplyParams(*params, *setup); !s.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(system.name, ": ", s.message()));
  }
  auto culture = sim::Culture::Create(setup->culture);
  if (!culture.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(system.name, ": ", culture.status().message()));
  }
  for (const sim::CellGroup& group : (*culture)->groups()) {
    if (group.model->supports(sim::StimulusMode::kField)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(system.name, ": electrodes do not reach neurons of the model ",
                     setup->params_key, ", and the task stimulates with them"));
  }
  const auto array = io::ElectrodeArray::Create(*setup->electrode_array);
  if (!array.ok()) return array.status();

  std::shared_ptr<EnvironmentModel> model(new EnvironmentModel());
  model->config_ = config;
  model->spec_ = TargetRateSpec(config, system);
  model->culture_ = *std::move(culture);
  model->num_electrodes_ = static_cast<int>(array->num_electrodes());
  model->step_ticks_ = std::llround(config.step_ms / model->culture_->dt_ms());
  model->stimulation_ =
      io::ElectrodeStimulationMap(*array, system, *model->culture_, setup->orientation);
  const std::vector<std::vector<uint32_t>> cells = array->CellsInReach(system.position_um);
  for (size_t e = 0; e < cells.size(); ++e) {
    for (uint32_t gid : cells[e]) {
      model->electrodes_of_gid_[gid].push_back(static_cast<int>(e));
    }
  }
  if (absl::Status s = model->Settle(); !s.ok()) return s;
  return std::shared_ptr<const EnvironmentModel>(std::move(model));
}

absl::Status EnvironmentModel::Settle() {
  sim::Gang gang(culture_, 1);
  gang.SetSeed(0, config_.settle_seed);
  const int kept = std::max(config_.num_history_steps, config_.num_rate_steps);
  const int64_t steps =
      std::max<int64_t>(kept, static_cast<int64_t>(std::ceil(config_.settle_ms / config_.step_ms)));
  std::vector<sim::Spike> spikes;
  for (int64_t s = 0; s < steps; ++s) {
    spikes.clear();
    gang.Advance(step_ticks_, &spikes);
    if (s < steps - kept) continue;
    StepCounts counts = NoCounts();
    Count(spikes, absl::MakeSpan(&counts, 1));
    settled_counts_.push_back(std::move(counts));
  }
  if (!gang.IsFinite(0)) {
    return absl::FailedPreconditionError(
        absl::StrCat(spec_.system, ": the culture does not stay finite while it settles"));
  }
  settled_state_.resize(culture_->initial_state().size());
  gang.SaveCopy(0, absl::MakeSpan(settled_state_));
  return absl::OkStatus();
}

void EnvironmentModel::Count(absl::Span<const sim::Spike> spikes,
                             absl::Span<StepCounts> counts) const {
  for (const sim::Spike& spike : spikes) {
    StepCounts& c = counts[static_cast<size_t>(spike.copy)];
    c.all_cells += 1.0;
    const auto electrodes = electrodes_of_gid_.find(spike.gid);
    if (electrodes == electrodes_of_gid_.end()) continue;
    for (int e : electrodes->second) c.per_electrode[static_cast<size_t>(e)] += 1.0f;
  }
}

sim::Waveform EnvironmentModel::Pulse(int64_t tick, const float* amplitudes) const {
  const double dt = culture_->dt_ms();
  const int64_t phase = std::llround(config_.phase_us * 1e-3 / dt);
  sim::Waveform w;
  // A sample a tick: the pulse has the same length wherever it starts.
  w.sample_dt_ms = dt;
  w.first_sample = tick;
  w.num_channels = num_electrodes_;
  w.samples.resize(static_cast<size_t>(2 * phase * num_electrodes_));
  for (int64_t s = 0; s < 2 * phase; ++s) {
    const double sign = s < phase ? -1.0 : 1.0;
    for (int e = 0; e < num_electrodes_; ++e) {
      w.samples[static_cast<size_t>(s * num_electrodes_ + e)] =
          sign * config_.max_amplitude_ua * static_cast<double>(amplitudes[e]);
    }
  }
  return w;
}

}  // namespace livnd::env
