#include "lab/tune/evaluator.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
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

constexpr double kProbeMs = 1000.0;

// A culture at the start of its trials.
absl::StatusOr<std::unique_ptr<env::LiveCulture>> Begin(
    const std::shared_ptr<const env::CultureModel>& model, const Trials& trials,
    sim::Executor& executor) {
  LIVND_ASSIGN_OR_RETURN(auto culture,
                         env::LiveCulture::Create(model, trials.num, trials.first_seed, executor));
  env::CultureChange change;
  change.params = trials.params;
  LIVND_RETURN_IF_ERROR(culture->Change(change));
  env::CultureClear clear;
  for (int trial = 0; trial < trials.num; ++trial) {
    clear.seeds.emplace_back(trials.first_seed + static_cast<uint64_t>(trial));
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
  return AtField("space", Begin(model_, TrialsOf(coordinates), executor).status());
}

Trials Evaluator::TrialsOf(absl::Span<const double> coordinates) const {
  return {space_.Params(coordinates), target_.trials, target_.seed, target_.warmup_ms,
          target_.duration_ms};
}

absl::StatusOr<Scores> Evaluator::Evaluate(absl::Span<const double> coordinates) const {
  LIVND_ASSIGN_OR_RETURN(const FiredTrials fired, Run(TrialsOf(coordinates)));
  return Judge(fired);
}

absl::StatusOr<FiredTrials> Evaluator::Run(const Trials& trials) const {
  sim::InlineExecutor executor;
  LIVND_ASSIGN_OR_RETURN(const auto culture, Begin(model_, trials, executor));
  env::CultureRun run;
  run.max_recording_bytes = kMaxTrialBytes;
  for (const double duration_ms : {trials.warmup_ms, trials.duration_ms}) {
    run.duration_ms = duration_ms;
    if (duration_ms <= 0.0 || culture->all_failed()) continue;
    const absl::Status ran = culture->Run(run);
    if (absl::IsResourceExhausted(ran)) return FiredTrials();
    LIVND_RETURN_IF_ERROR(ran);
  }
  if (culture->all_failed()) return FiredTrials();
  return FiredTrials(culture->TakeRecording());
}

absl::StatusOr<Scores> Evaluator::Judge(const FiredTrials& fired) const {
  const io::UnitMap& units = target_.by_electrode ? ears_.electrodes : ears_.cells;
  std::vector<Features> trials(static_cast<size_t>(target_.trials), Nothing());
  if (!fired.has_value()) return ScoreTrials(target_, trials, units.num_units());
  io::DecodingWindow window;
  window.tick_ms = model_->prepared().culture->dt_ms();
  window.num_ticks = fired->num_ticks;
  window.num_units = units.num_units();
  io::DecodingWindow cells = window;
  cells.num_units = ears_.cells.num_units();
  cells.groups = ears_.populations;
  for (size_t trial = 0; trial < trials.size(); ++trial) {
    if (!std::isnan(fired->failed_at_ms[trial])) continue;
    std::vector<sim::Spike> spikes;
    for (auto i = static_cast<size_t>(fired->spike_offsets[trial]);
         i < static_cast<size_t>(fired->spike_offsets[trial + 1]); ++i) {
      spikes.push_back({0, fired->spike_gids[i], fired->spike_ticks[i]});
    }
    std::vector<io::UnitSpike> of_units, of_cells;
    const int64_t first_tick = fired->start_tick;
    units.ForEach(spikes, first_tick, [&](io::UnitSpike s) { of_units.push_back(s); });
    ears_.cells.ForEach(spikes, first_tick, [&](io::UnitSpike s) { of_cells.push_back(s); });
    LIVND_ASSIGN_OR_RETURN(trials[trial], Measure({target_.livn_metrics, target_.min_spikes},
                                                  window, of_units, cells, of_cells));
  }
  return ScoreTrials(target_, trials, units.num_units());
}

absl::StatusOr<std::pair<Trials, FiredTrials>> Evaluator::Probe(
    const std::function<bool()>& stop) const {
  std::optional<std::pair<Trials, FiredTrials>> best;
  const auto num_spikes = [](const FiredTrials& fired) {
    return fired.has_value() ? fired->spike_gids.size() : 0;
  };
  for (const double share : {0.5, 0.75, 0.9, 0.25}) {
    if (stop && stop()) return absl::CancelledError("interrupted");
    std::vector<double> coordinates;
    for (const Dimension& d : space_.dimensions()) {
      coordinates.push_back(d.low() + share * (d.high() - d.low()));
    }
    Trials trials = TrialsOf(coordinates);
    trials.num = 1;
    trials.warmup_ms = 0.0;
    trials.duration_ms = std::min(target_.warmup_ms + target_.duration_ms, kProbeMs);
    LIVND_ASSIGN_OR_RETURN(FiredTrials fired, Run(trials));
    const size_t spikes = num_spikes(fired);
    if (!best.has_value() || spikes > num_spikes(best->second)) {
      best = {std::move(trials), std::move(fired)};
    }
    // As many as cells: what connections do is in it.
    if (spikes >= model_->prepared().culture->gids().size()) break;
  }
  return *std::move(best);
}

}  // namespace livnd::lab
