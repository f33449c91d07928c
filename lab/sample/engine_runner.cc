#include "lab/sample/engine_runner.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "env/copies.h"
#include "io/culture/params.h"

namespace livnd::lab {
namespace {

// What the copies of a batch take, and what is recorded of them.
constexpr double kMaxBatchBytes = 1 << 30;
constexpr double kMaxSeriesBytes = 256 << 20;
constexpr int64_t kMaxBatch = 1024;
// Between two looks at whether to stop.
constexpr int64_t kPieceTicks = 4000;

}  // namespace

env::RecordingSelection RecordingOf(const SamplePlan& plan) {
  env::RecordingSelection out;
  if (!plan.voltage_gids().empty()) {
    env::SeriesSelection& series = out.series.emplace_back();
    series.quantity = env::RecordedQuantity::kVoltageMv;
    series.sample_dt_ms = plan.sample_dt_ms();
    series.single_precision = true;
    for (const int64_t gid : plan.voltage_gids()) series.sites.push_back({gid, 0});
  }
  if (plan.potentials()) {
    env::SeriesSelection& series = out.series.emplace_back();
    series.quantity = env::RecordedQuantity::kElectrodePotentialUv;
    series.sample_dt_ms = plan.sample_dt_ms();
    series.single_precision = true;
  }
  return out;
}

std::optional<env::EncodingSelection> EncodingOf(const SamplePlan& plan) {
  if (!plan.encoding().has_value()) return std::nullopt;
  return env::EncodingSelection{*plan.encoding(), plan.step_ms()};
}

std::vector<SampledTrial> TrialsOf(const SamplePlan& plan, const env::CultureRecording& recording) {
  std::vector<SampledTrial> out(recording.failed_at_ms.size());
  for (size_t copy = 0; copy < out.size(); ++copy) {
    SampledTrial& trial = out[copy];
    trial.failed_at_ms = recording.failed_at_ms[copy];
    const auto begin = static_cast<size_t>(recording.spike_offsets[copy]);
    const auto end = static_cast<size_t>(recording.spike_offsets[copy + 1]);
    for (size_t i = begin; i < end; ++i) {
      trial.spike_gids.push_back(static_cast<uint32_t>(recording.spike_gids[i]));
      trial.spike_ticks.push_back(
          static_cast<uint32_t>(recording.spike_ticks[i] - recording.start_tick));
    }
    for (size_t s = 0; s < recording.series.size(); ++s) {
      const env::RecordedSeries& series = recording.series[s];
      const auto size = static_cast<std::ptrdiff_t>(series.num_rows * series.num_samples);
      const auto from = series.values.begin() + static_cast<std::ptrdiff_t>(copy) * size;
      const bool of_cells = s == 0 && !plan.voltage_gids().empty();
      (of_cells ? trial.voltages_mv : trial.potentials_uv).assign(from, from + size);
    }
  }
  return out;
}

SampledTrial FailedTrial(const SamplePlan& plan, double failed_at_ms) {
  constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
  const auto num = static_cast<size_t>(plan.num_samples());
  SampledTrial out;
  out.failed_at_ms = failed_at_ms;
  out.voltages_mv.assign(plan.voltage_gids().size() * num, kNone);
  if (plan.potentials()) {
    out.potentials_uv.assign(plan.setup().electrode_array->electrodes.size() * num, kNone);
  }
  return out;
}

absl::StatusOr<std::unique_ptr<EngineRunner>> EngineRunner::Create(
    std::shared_ptr<const io::System> system, const SamplePlan& plan, sim::Executor& executor,
    int64_t batch, std::function<bool()> stop) {
  auto model = env::CultureModel::Create(std::move(system), plan.setup());
  if (!model.ok()) {
    const auto fault = io::FaultOfParams(plan.params(), plan.setup(), model.status());
    return plan.InParams(fault.value_or(model.status()));
  }
  auto out = std::unique_ptr<EngineRunner>(
      new EngineRunner(plan, *std::move(model), executor, std::move(stop)));
  const sim::Culture& culture = *out->model_->prepared().culture;
  const double ms = std::max(plan.warmup_ms(), plan.duration_ms());
  double rows = static_cast<double>(plan.voltage_gids().size());
  if (plan.potentials()) {
    rows += static_cast<double>(plan.setup().electrode_array->electrodes.size());
  }
  const double series_bytes = rows * ms / plan.sample_dt_ms() * sizeof(double);
  const double fits = std::min(kMaxBatchBytes / static_cast<double>(env::BytesOfCopies(culture, 1)),
                               kMaxSeriesBytes / std::max(series_bytes, 1.0));
  out->batch_ = batch > 0 ? batch : env::CopiesThatFill(culture, executor.concurrency());
  out->batch_ = std::min({out->batch_, kMaxBatch, static_cast<int64_t>(std::max(1.0, fits))});
  // What is wrong with the plan is told before anything is run.
  LIVND_RETURN_IF_ERROR(out->Begin(1).status());
  return out;
}

absl::StatusOr<std::unique_ptr<env::LiveCulture>> EngineRunner::Begin(int num_copies) {
  LIVND_ASSIGN_OR_RETURN(auto culture, env::LiveCulture::Create(model_, num_copies, 0, executor_));
  env::CultureChange change;
  change.recording = RecordingOf(plan_);
  change.encoding = EncodingOf(plan_);
  LIVND_RETURN_IF_ERROR(culture->Change(change));
  return culture;
}

absl::Status EngineRunner::Pass(env::LiveCulture& culture, const env::CultureRun& run) const {
  LIVND_RETURN_IF_ERROR(culture.BeginRun(run));
  while (!culture.ContinueRun(kPieceTicks).over) {
    if (stop_ && stop_()) return absl::CancelledError("interrupted");
  }
  return culture.FinishRun();
}

absl::StatusOr<std::vector<SampledTrials>> EngineRunner::RunCopies(int64_t first, int64_t num) {
  if (culture_ == nullptr || culture_->num_copies() != num) {
    LIVND_ASSIGN_OR_RETURN(culture_, Begin(static_cast<int>(num)));
  }
  std::vector<SampledTrials> out(static_cast<size_t>(num));
  env::CultureClear clear;
  env::CultureRun warmup, run;
  warmup.duration_ms = plan_.warmup_ms();
  run.duration_ms = plan_.duration_ms();
  if (plan_.encoding().has_value()) run.features.emplace().num_steps = plan_.num_steps();
  for (int64_t i = 0; i < num; ++i) {
    const DrawnSample drawn = plan_.Draw(first + i);
    clear.seeds.emplace_back(drawn.seed);
    if (!run.features.has_value()) continue;
    std::vector<float>& values = run.features->values;
    values.insert(values.end(), drawn.features.begin(), drawn.features.end());
  }
  for (int trial = 0; trial < plan_.trials(); ++trial) {
    clear.noise_stream = static_cast<uint32_t>(trial);
    LIVND_RETURN_IF_ERROR(culture_->Clear(clear));
    if (warmup.duration_ms > 0.0) LIVND_RETURN_IF_ERROR(Pass(*culture_, warmup));
    std::vector<SampledTrial> trials;
    if (culture_->all_failed()) {
      for (const double at : culture_->failed_at_ms()) trials.push_back(FailedTrial(plan_, at));
    } else {
      LIVND_RETURN_IF_ERROR(Pass(*culture_, run));
      trials = TrialsOf(plan_, culture_->TakeRecording());
    }
    for (size_t i = 0; i < out.size(); ++i) out[i].push_back(std::move(trials[i]));
  }
  return out;
}

absl::StatusOr<std::vector<SampledTrials>> EngineRunner::Run(int64_t first, int64_t num) {
  // Even shares: a last batch of few copies would leave threads without work.
  const int64_t num_batches = (num + batch_ - 1) / batch_;
  std::vector<SampledTrials> out;
  for (int64_t b = 0; b < num_batches; ++b) {
    const int64_t begin = first + num * b / num_batches;
    const int64_t end = first + num * (b + 1) / num_batches;
    absl::StatusOr<std::vector<SampledTrials>> got = RunCopies(begin, end - begin);
    if (absl::IsResourceExhausted(got.status()) && end - begin > 1) {
      // What fits into memory is no matter of how many run side by side.
      got = std::vector<SampledTrials>();
      for (int64_t i = begin; i < end; ++i) {
        LIVND_ASSIGN_OR_RETURN(std::vector<SampledTrials> one, Run(i, 1));
        got->push_back(std::move(one[0]));
      }
    }
    if (!got.ok()) {
      culture_.reset();  // in the middle of a run, perhaps
      if (absl::IsCancelled(got.status()) || absl::IsInvalidArgument(got.status())) {
        return got.status();
      }
      return absl::Status(got.status().code(), absl::StrCat("samples ", begin, " .. ", end - 1,
                                                            ": ", got.status().message()));
    }
    std::move(got->begin(), got->end(), std::back_inserter(out));
  }
  return out;
}

}  // namespace livnd::lab
