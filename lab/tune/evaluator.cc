#include "lab/tune/evaluator.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "base/field_error.h"
#include "base/status_macros.h"
#include "env/culture/live_culture.h"
#include "io/culture/selection.h"
#include "io/json/json_view.h"
#include "lab/tune/features.h"
#include "sim/gang/probe.h"

namespace livnd::lab {
namespace {

// A culture at the start of an evaluation.
absl::StatusOr<std::unique_ptr<env::LiveCulture>> Begin(
    const std::shared_ptr<const env::CultureModel>& model, const Target& target,
    io::ParamList params, sim::Executor& executor) {
  LIVND_ASSIGN_OR_RETURN(auto culture,
                         env::LiveCulture::Create(model, target.trials, target.seed, executor));
  env::CultureChange change;
  change.params = std::move(params);
  LIVND_RETURN_IF_ERROR(culture->Change(change));
  env::CultureClear clear;
  for (int trial = 0; trial < target.trials; ++trial) {
    clear.seeds.emplace_back(target.seed + static_cast<uint64_t>(trial));
  }
  LIVND_RETURN_IF_ERROR(culture->Clear(clear));
  return culture;
}

Features Nothing() {
  Features out;
  out.fill(std::numeric_limits<double>::quiet_NaN());
  return out;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Evaluator>> Evaluator::Create(
    std::shared_ptr<const io::System> system, Target target) {
  io::SetupOptions options;
  options.model = target.model;
  if (target.selection.has_value()) {
    LIVND_ASSIGN_OR_RETURN(options.selection,
                           io::ParseSelectionSpec(io::JsonView(*target.selection, "selection")));
  }
  LIVND_ASSIGN_OR_RETURN(io::CultureSetup setup, io::SetUpCulture(*system, options));
  LIVND_ASSIGN_OR_RETURN(SearchSpace space, SearchSpace::Create(target.space, *system, setup));
  if (target.by_electrode && !setup.electrode_array.has_value()) {
    return MakeFieldError("readout", "electrodes", "cells: this system has no electrodes");
  }
  LIVND_ASSIGN_OR_RETURN(const auto model, env::CultureModel::Create(system, std::move(setup)));
  LIVND_ASSIGN_OR_RETURN(
      env::DecodingEars ears,
      env::DecodingEars::Create(*system, model->prepared().setup, *model->prepared().culture));
  auto out = std::unique_ptr<Evaluator>(new Evaluator(std::move(system), std::move(target),
                                                      std::move(space), model, std::move(ears)));
  std::vector<double> low, high;
  for (const Dimension& dimension : out->space_.dimensions()) {
    low.push_back(dimension.low());
    high.push_back(dimension.high());
  }
  LIVND_RETURN_IF_ERROR(out->Try(low));
  LIVND_RETURN_IF_ERROR(out->Try(high));
  return out;
}

absl::Status Evaluator::Try(absl::Span<const double> coordinates) const {
  sim::InlineExecutor executor;
  return AtField("space", Begin(model_, target_, space_.Params(coordinates), executor).status());
}

absl::StatusOr<Scores> Evaluator::Evaluate(absl::Span<const double> coordinates) const {
  sim::InlineExecutor executor;
  LIVND_ASSIGN_OR_RETURN(const auto culture,
                         Begin(model_, target_, space_.Params(coordinates), executor));
  const io::UnitMap& units = target_.by_electrode ? ears_.electrodes : ears_.cells;
  std::vector<Features> trials(static_cast<size_t>(target_.trials), Nothing());

  env::CultureRun run;
  absl::Status ran = absl::OkStatus();
  for (const double duration_ms : {target_.warmup_ms, target_.duration_ms}) {
    run.duration_ms = duration_ms;
    if (ran.ok() && duration_ms > 0.0 && !culture->all_failed()) ran = culture->Run(run);
  }
  if (!ran.ok() && !absl::IsResourceExhausted(ran)) return ran;
  if (ran.ok() && !culture->all_failed()) {
    const env::CultureRecording recording = culture->TakeRecording();
    const int64_t first_tick = recording.start_tick;
    io::DecodingWindow window;
    window.tick_ms = culture->culture().dt_ms();
    window.num_ticks = recording.num_ticks;
    window.num_units = units.num_units();
    io::DecodingWindow cells = window;
    cells.num_units = ears_.cells.num_units();
    cells.groups = ears_.populations;
    for (size_t trial = 0; trial < trials.size(); ++trial) {
      if (!std::isnan(recording.failed_at_ms[trial])) continue;
      std::vector<sim::Spike> spikes;
      for (auto i = static_cast<size_t>(recording.spike_offsets[trial]);
           i < static_cast<size_t>(recording.spike_offsets[trial + 1]); ++i) {
        spikes.push_back({0, recording.spike_gids[i], recording.spike_ticks[i]});
      }
      std::vector<io::UnitSpike> of_units, of_cells;
      units.ForEach(spikes, first_tick, [&](io::UnitSpike s) { of_units.push_back(s); });
      ears_.cells.ForEach(spikes, first_tick, [&](io::UnitSpike s) { of_cells.push_back(s); });
      LIVND_ASSIGN_OR_RETURN(trials[trial], Measure({target_.livn_metrics, target_.min_spikes},
                                                    window, of_units, cells, of_cells));
    }
  }
  return ScoreTrials(target_, trials, units.num_units());
}

}  // namespace livnd::lab
