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

std::vector<sim::Spike> SpikesOf(const env::CultureRecording& recording, size_t copy) {
  std::vector<sim::Spike> spikes;
  for (auto i = static_cast<size_t>(recording.spike_offsets[copy]);
       i < static_cast<size_t>(recording.spike_offsets[copy + 1]); ++i) {
    spikes.push_back({0, recording.spike_gids[i], recording.spike_ticks[i]});
  }
  return spikes;
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
  std::optional<StimulusSweep> sweep;
  if (target.stimulus.has_value()) {
    const env::PreparedCulture& prepared = model->prepared();
    LIVND_ASSIGN_OR_RETURN(sweep, StimulusSweep::Create(*target.stimulus, *system, prepared.setup,
                                                        prepared.culture->dt_ms()));
  }
  LIVND_ASSIGN_OR_RETURN(
      env::DecodingEars ears,
      env::DecodingEars::Create(*system, model->prepared().setup, *model->prepared().culture));
  auto out = std::unique_ptr<Evaluator>(new Evaluator(std::move(system), std::move(target),
                                                      std::move(space), model, std::move(ears),
                                                      std::move(sweep)));
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
  Trials trials = TrialsOf(coordinates);
  trials.num = 1;
  const auto culture = Begin(model_, trials, executor);
  if (!culture.ok()) return AtField("space", culture.status());
  if (!sweep_.has_value()) return absl::OkStatus();
  env::CultureRun run;
  run.duration_ms = trials.sweep.trial_ms;
  run.pulse_plan = trials.sweep.plans[target_.stimulus->amplitudes_ua.size() - 1];
  return StimulusSweep::FaultOf((*culture)->BeginRun(run));
}

Trials Evaluator::TrialsOf(absl::Span<const double> coordinates) const {
  return {space_.Params(coordinates),
          target_.trials,
          target_.seed,
          target_.warmup_ms,
          target_.duration_ms,
          sweep_.has_value() ? sweep_->sweep() : Sweep()};
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
  FiredTrials fired;
  fired.resting = culture->TakeRecording();
  LIVND_ASSIGN_OR_RETURN(const bool is_admitted, Admits(trials.sweep, fired.resting));
  if (!is_admitted) return fired;
  LIVND_ASSIGN_OR_RETURN(fired.evoked, RunSweep(*culture, trials.sweep));
  return fired;
}

absl::StatusOr<std::vector<env::CultureRecording>> Evaluator::RunSweep(env::LiveCulture& culture,
                                                                       const Sweep& sweep) const {
  std::vector<env::CultureRecording> evoked;
  env::CultureRun run;
  run.duration_ms = sweep.trial_ms;
  run.max_recording_bytes = kMaxTrialBytes;
  for (const io::PulsePlan& plan : sweep.plans) {
    run.pulse_plan = plan;
    const absl::Status ran = culture.Run(run);
    const bool are_too_many = absl::IsResourceExhausted(ran);
    if (!are_too_many) LIVND_RETURN_IF_ERROR(ran);
    if (are_too_many || culture.all_failed()) return std::vector<env::CultureRecording>();
    evoked.push_back(culture.TakeRecording());
    run.max_recording_bytes -=
        kBytesOfSpike * static_cast<int64_t>(evoked.back().spike_gids.size());
  }
  return evoked;
}

absl::StatusOr<bool> Evaluator::Admits(const Sweep& sweep,
                                       const std::optional<env::CultureRecording>& resting) const {
  if (sweep.plans.empty() || !resting.has_value()) return false;
  if (sweep.always) return true;
  for (size_t trial = 0; trial < resting->failed_at_ms.size(); ++trial) {
    if (!std::isnan(resting->failed_at_ms[trial])) return false;
    LIVND_ASSIGN_OR_RETURN(const Features features, MeasureResting(*resting, trial));
    if (!HoldAtRest(target_.constraints, features, NumUnits())) return false;
  }
  return true;
}

int64_t Evaluator::NumUnits() const {
  return (target_.by_electrode ? ears_.electrodes : ears_.cells).num_units();
}

absl::StatusOr<Features> Evaluator::MeasureResting(const env::CultureRecording& resting,
                                                   size_t trial) const {
  io::DecodingWindow window;
  window.tick_ms = model_->prepared().culture->dt_ms();
  window.num_ticks = resting.num_ticks;
  window.num_units = NumUnits();
  io::DecodingWindow cells = window;
  cells.num_units = ears_.cells.num_units();
  cells.groups = ears_.populations;
  const std::vector<sim::Spike> spikes = SpikesOf(resting, trial);
  std::vector<io::UnitSpike> of_units, of_cells;
  (target_.by_electrode ? ears_.electrodes : ears_.cells)
      .ForEach(spikes, resting.start_tick, [&](io::UnitSpike s) { of_units.push_back(s); });
  ears_.cells.ForEach(spikes, resting.start_tick, [&](io::UnitSpike s) { of_cells.push_back(s); });
  return Measure({target_.livn_metrics, target_.min_spikes}, window, of_units, cells, of_cells);
}

absl::Status Evaluator::MeasureEvoked(const std::vector<env::CultureRecording>& evoked,
                                      size_t trial, Features& features) const {
  if (evoked.empty() || !std::isnan(evoked.back().failed_at_ms[trial])) return absl::OkStatus();
  std::vector<io::UnitSpike> heard;
  for (const env::CultureRecording& run : evoked) {
    ears_.electrodes.ForEach(SpikesOf(run, trial), evoked.front().start_tick,
                             [&](io::UnitSpike s) { heard.push_back(s); });
  }
  return sweep_->Measure(heard, features);
}

absl::StatusOr<Scores> Evaluator::Judge(const FiredTrials& fired) const {
  std::vector<Features> trials(static_cast<size_t>(target_.trials), Nothing());
  for (size_t trial = 0; fired.resting.has_value() && trial < trials.size(); ++trial) {
    if (!std::isnan(fired.resting->failed_at_ms[trial])) continue;
    LIVND_ASSIGN_OR_RETURN(trials[trial], MeasureResting(*fired.resting, trial));
    LIVND_RETURN_IF_ERROR(MeasureEvoked(fired.evoked, trial, trials[trial]));
  }
  return ScoreTrials(target_, trials, NumUnits());
}

absl::StatusOr<std::pair<Trials, FiredTrials>> Evaluator::Probe(
    const std::function<bool()>& stop) const {
  std::optional<std::pair<Trials, FiredTrials>> best;
  const auto num_spikes = [](const FiredTrials& fired) {
    return fired.resting.has_value() ? fired.resting->spike_gids.size() : 0;
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
    trials.sweep = sweep_.has_value() ? sweep_->Probe() : Sweep();
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
