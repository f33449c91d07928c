#include "env/task/task_model.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/culture/build_culture.h"
#include "io/culture/culture_setup.h"
#include "io/culture/model_options.h"
#include "io/culture/params.h"
#include "io/culture/stimulation_map.h"
#include "io/device/electrode_array.h"
#include "sim/gang/gang.h"

namespace livnd::env {
namespace {

// What a params key of one weight begins and ends with, taken off.
absl::string_view WeightOf(absl::string_view key) {
  absl::ConsumePrefix(&key, "weight-");
  absl::ConsumeSuffix(&key, "-weight");
  return key;
}

// The params, and then their weights that have a factor, times that. The error says which weight
// they do not set.
absl::StatusOr<io::ParamList> ScaledParams(const io::ParamList& params,
                                           const std::map<std::string, double>& factors,
                                           const std::string& file) {
  io::ParamList out = params;
  for (const std::pair<const std::string, double>& factor : factors) {
    const auto set = std::find_if(params.rbegin(), params.rend(), [&](const io::Param& p) {
      return WeightOf(p.key) == factor.first && p.values.size() == 1;
    });
    if (set == params.rend()) {
      return InFile(file,
                    MakeFieldError(factor.first, "absent", "a weight, which the task changes"));
    }
    out.push_back({set->key, {set->values[0] * factor.second}});
  }
  return out;
}

}  // namespace

absl::Status TaskModelConfig::Validate() const {
  // False for NaN, too.
  if (!(step_ms >= 1.0 && step_ms <= 1e4)) {
    return MakeFieldError("step_ms", Exact(step_ms), "1 .. 10000 (ms)");
  }
  if (!(settle_ms >= 0.0 && settle_ms <= 1e6)) {
    return MakeFieldError("settle_ms", Exact(settle_ms), "0 .. 1000000 (ms)");
  }
  if (kept_steps < 0 || kept_steps > 1000) {
    return MakeFieldError("kept_steps", absl::StrCat(kept_steps), "0 .. 1000");
  }
  return absl::OkStatus();
}

absl::Status TaskModel::CheckSuits(const io::System& system, const TaskModelConfig& config) {
  const auto model = io::ResolveModel(system.model);
  if (!model.ok()) return InFile(system.directory + "/model.json", model.status());
  if (!system.electrode_array.has_value()) {
    return InFile(system.directory + "/mea.json",
                  MakeFieldError("", "absent", "electrodes, which the task stimulates with"));
  }
  if (config.plasticity.has_value() && model->model.point.has_value()) {
    return InFile(system.directory + "/model.json",
                  MakeFieldError("cls", model->params_key, "models whose synapses learn"));
  }
  const auto params = io::StoredParams(system, model->params_key);
  const std::string file = system.directory + "/params/default.json";
  if (!params.ok()) return InFile(file, params.status());
  return ScaledParams(*params, config.weight_factors, file).status();
}

absl::StatusOr<std::shared_ptr<const TaskModel>> TaskModel::Create(const io::System& system,
                                                                   const TaskModelConfig& config) {
  LIVND_RETURN_IF_ERROR(config.Validate());
  LIVND_RETURN_IF_ERROR(CheckSuits(system, config));
  auto setup = io::SetUpCulture(system);
  if (!setup.ok()) return setup.status();
  setup->culture.plasticity = config.plasticity;
  auto params = io::StoredParams(system, setup->params_key);
  if (!params.ok()) return io::InDefaultParams(system, *setup, "default", params.status());
  params = ScaledParams(*params, config.weight_factors, system.directory);
  if (!params.ok()) return params.status();
  auto culture = io::BuildWithDefaults(system, {}, *params, *setup);
  if (!culture.ok()) return culture.status();
  const auto array = io::ElectrodeArray::Create(*setup->electrode_array);
  if (!array.ok()) return array.status();

  std::shared_ptr<TaskModel> model(
      new TaskModel(*std::move(culture), *array, system.position_um, setup->orientation));
  if (setup->culture.model.point.has_value()) {
    model->stimulus_mode_ = sim::StimulusMode::kCurrent;
    model->stimulation_ = io::ElectrodeCurrentMap(*array, system, *model->culture_,
                                                  *setup->culture.model.point, setup->orientation);
  } else {
    model->stimulation_ =
        io::ElectrodeStimulationMap(*array, system, *model->culture_, setup->orientation);
  }
  if (!model->Settle(config)) {
    return InFile(system.directory,
                  MakeFieldError("", "a culture that does not stay finite while it settles",
                                 "cultures that do"));
  }
  return std::shared_ptr<const TaskModel>(std::move(model));
}

TaskModel::TaskModel(std::shared_ptr<const sim::Culture> culture, io::ElectrodeArray array,
                     std::vector<io::Point> position_um, io::DendriteOrientation orientation)
    : culture_(std::move(culture)),
      array_(std::move(array)),
      position_um_(std::move(position_um)),
      orientation_(orientation),
      electrode_ids_(array_.ids()),
      gids_in_reach_(array_.CellsInReach(position_um_)) {}

ElectrodeHearing TaskModel::Hearing() const {
  return MakeElectrodeHearing(array_, position_um_, orientation_, *culture_);
}

bool TaskModel::Settle(const TaskModelConfig& config) {
  sim::Gang gang(culture_, 1);
  gang.SetSeed(0, config.settle_seed);
  const int64_t step_ticks = std::llround(config.step_ms / culture_->dt_ms());
  const int64_t steps = std::max<int64_t>(
      config.kept_steps, static_cast<int64_t>(std::ceil(config.settle_ms / config.step_ms)));
  for (int64_t s = 0; s < steps; ++s) {
    std::vector<sim::Spike> spikes;
    gang.Advance(step_ticks, &spikes);
    if (s >= steps - config.kept_steps) settled_spikes_.push_back(std::move(spikes));
  }
  settled_state_.resize(culture_->initial_state().size());
  // Cannot fail: CheckSuits has looked for synapses that learn.
  if (config.plasticity.has_value()) gang.SetPlasticity(0, true).IgnoreError();
  gang.SaveCopy(0, absl::MakeSpan(settled_state_));
  return gang.IsFinite(0);
}

}  // namespace livnd::env
