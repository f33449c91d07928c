#include "server/commands/remote/remote_sampler.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "clients/cpp/tensor.h"
#include "env/culture/culture_types.h"
#include "lab/sample/engine_runner.h"
#include "server/wire/culture.h"
#include "server/wire/recording.h"

namespace livnd::server {
namespace {

// What one answer may hold of potentials and voltages.
constexpr double kMaxSeriesBytes = 64 << 20;
constexpr int64_t kMaxBatch = 1024;

// NaN equals NaN.
template <typename T>
bool SameBits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

bool Same(const lab::SampledTrials& a, const lab::SampledTrials& b) {
  bool same = a.size() == b.size();
  for (size_t i = 0; same && i < a.size(); ++i) {
    same = a[i].spike_gids == b[i].spike_gids && a[i].spike_ticks == b[i].spike_ticks &&
           (a[i].failed_at_ms == b[i].failed_at_ms ||
            (std::isnan(a[i].failed_at_ms) && std::isnan(b[i].failed_at_ms))) &&
           SameBits(a[i].voltages_mv, b[i].voltages_mv) &&
           SameBits(a[i].potentials_uv, b[i].potentials_uv);
  }
  return same;
}

}  // namespace

absl::StatusOr<bool> RemoteSampler::Ready() {
  return server_.Ready([&](const v1::GetServerInfoResponse& info, bool) -> absl::StatusOr<int> {
    LIVND_RETURN_IF_ERROR(Try(info));
    return 1;  // which has batches that fill it
  });
}

absl::Status RemoteSampler::Try(const v1::GetServerInfoResponse& info) {
  const lab::SamplePlan& plan = *work_.plan;
  double rows = static_cast<double>(plan.voltage_gids().size());
  if (plan.potentials())
    rows += static_cast<double>(plan.setup().electrode_array->electrodes.size());
  const double ms = std::max(plan.warmup_ms(), plan.duration_ms());
  const double bytes = rows * ms / plan.sample_dt_ms() * sizeof(float);
  const double most =
      std::min(kMaxSeriesBytes, 0.5 * static_cast<double>(info.max_send_message_bytes()));
  const double fits = std::max(1.0, most / std::max(bytes, 1.0));
  const int64_t fills = work_.copies_of_thread * std::max(1, info.num_workers());
  batch_ = std::min({work_.batch > 0 ? work_.batch : fills, kMaxBatch, static_cast<int64_t>(fits),
                     int64_t{std::max(1, info.max_envs_per_session())}});
  LIVND_ASSIGN_OR_RETURN(const std::vector<lab::SampledTrials> found, RunCopies(plan.begin(), 1));
  if (!Same(found[0], work_.first)) {
    return absl::FailedPreconditionError(
        absl::StrCat(server_.address(), " has another system ", work_.terms.system,
                     ": the plan's first sample is another there"));
  }
  return absl::OkStatus();
}

v1::ConfigureRequest RemoteSampler::FirstRequest() const {
  const lab::SamplePlan& plan = *work_.plan;
  v1::ConfigureRequest request;
  env::CultureChange change;
  change.forget_params = true;
  change.params = plan.params();
  change.recording = lab::RecordingOf(plan);
  change.encoding = lab::EncodingOf(plan);
  EncodeChange(change, &request);
  if (plan.selection().has_value()) EncodeCells(plan.setup(), &request);
  return request;
}

absl::StatusOr<std::vector<lab::SampledTrial>> RemoteSampler::TrialOf(
    const v1::CultureRecording& message, int64_t num) const {
  const lab::SamplePlan& plan = *work_.plan;
  LIVND_ASSIGN_OR_RETURN(const env::CultureRecording recording, ParseRecording(message, num));
  std::vector<size_t> rows;
  if (!plan.voltage_gids().empty()) rows.push_back(plan.voltage_gids().size());
  if (plan.potentials()) rows.push_back(plan.setup().electrode_array->electrodes.size());
  bool is_asked = recording.series.size() == rows.size();
  for (size_t s = 0; is_asked && s < rows.size(); ++s) {
    is_asked = recording.series[s].num_rows == static_cast<int64_t>(rows[s]) &&
               recording.series[s].num_samples == plan.num_samples();
  }
  if (!is_asked) {
    return absl::InternalError(
        absl::StrCat(server_.address(), ": an answer is no recording of what was asked for"));
  }
  return lab::TrialsOf(plan, recording);
}

absl::StatusOr<std::vector<lab::SampledTrials>> RemoteSampler::RunCopies(int64_t first,
                                                                         int64_t num) {
  const lab::SamplePlan& plan = *work_.plan;
  LIVND_ASSIGN_OR_RETURN(client::CultureSession* const session,
                         server_.Session(num, [&] { return FirstRequest(); }));
  std::vector<lab::SampledTrials> out(static_cast<size_t>(num));
  client::ClearOptions clear;
  std::vector<float> features;
  for (int64_t i = 0; i < num; ++i) {
    const lab::DrawnSample drawn = plan.Draw(first + i);
    clear.seeds.emplace_back(drawn.seed);
    features.insert(features.end(), drawn.features.begin(), drawn.features.end());
  }
  v1::RunRequest warmup, run;
  warmup.set_duration_ms(plan.warmup_ms());
  run.set_duration_ms(plan.duration_ms());
  if (plan.encoding().has_value()) {
    client::Pack(features, {num, plan.num_steps(), static_cast<int64_t>(plan.features().size())},
                 run.mutable_features());
  }
  for (int trial = 0; trial < plan.trials(); ++trial) {
    if (work_.terms.stop && work_.terms.stop()) return absl::CancelledError("interrupted");
    clear.noise_stream = static_cast<uint32_t>(trial);
    if (const auto done = session->Clear(clear); !done.ok()) return server_.StatusOf(done.error());
    if (plan.warmup_ms() > 0.0) {
      const auto warm = session->Run(warmup);
      if (!warm.ok()) return server_.StatusOf(warm.error());
      LIVND_ASSIGN_OR_RETURN(const env::CultureRecording recording, ParseRecording(*warm, num));
      const std::vector<double>& failed = recording.failed_at_ms;
      if (std::none_of(failed.begin(), failed.end(), [](double at) { return std::isnan(at); })) {
        for (size_t i = 0; i < out.size(); ++i) out[i].push_back(lab::FailedTrial(plan, failed[i]));
        continue;
      }
    }
    const auto ran = session->Run(run);
    if (!ran.ok()) return server_.StatusOf(ran.error());
    LIVND_ASSIGN_OR_RETURN(std::vector<lab::SampledTrial> trials, TrialOf(*ran, num));
    for (size_t i = 0; i < out.size(); ++i) out[i].push_back(std::move(trials[i]));
  }
  return out;
}

absl::StatusOr<std::vector<lab::SampledTrials>> RemoteSampler::Run(int64_t first, int64_t num) {
  std::vector<lab::SampledTrials> out;
  while (out.size() < static_cast<size_t>(num)) {
    const auto done = static_cast<int64_t>(out.size());
    // Even shares of what is left.
    const int64_t batches = (num - done + batch_ - 1) / batch_;
    const int64_t size = (num - done + batches - 1) / batches;
    auto got = RunCopies(first + done, size);
    if (absl::IsResourceExhausted(got.status()) && size > 1) {
      batch_ = size / 2;  // an answer, or the server's memory, has no room for so many
      server_.EndSession();
      continue;
    }
    server_.Note(got.status());
    LIVND_RETURN_IF_ERROR(got.status());
    std::move(got->begin(), got->end(), std::back_inserter(out));
  }
  return out;
}

}  // namespace livnd::server
