#include "server/commands/remote_runner.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "clients/cpp/client_options.h"
#include "clients/cpp/tensor.h"
#include "env/culture/culture_types.h"
#include "lab/sample/engine_runner.h"
#include "server/machine/steady_time.h"
#include "server/wire/culture.h"
#include "sim/culture/culture.h"

namespace livnd::server {
namespace {

// What one answer may hold of potentials and voltages.
constexpr double kMaxSeriesBytes = 64 << 20;
constexpr int64_t kMaxBatch = 1024;
// A server that is away is away: another one, or this one later.
constexpr std::chrono::milliseconds kRetryTime{2000};

client::ClientOptions Options() {
  client::ClientOptions options;
  options.connect_timeout = kRetryTime;
  options.retry_time = kRetryTime;
  return options;
}

absl::Status Garbled() {
  return absl::InternalError("an answer is no recording of what was asked for");
}

template <typename T>
absl::StatusOr<std::vector<T>> Numbers(const v1::Tensor& tensor) {
  std::vector<T> out;
  if (!client::Unpack(tensor, &out)) return Garbled();
  return out;
}

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

// Of the cells that are built, each by its gid: the same whatever the selection was called.
void EncodeSelection(const lab::SamplePlan& plan, v1::ConfigureRequest* request) {
  std::map<std::string, std::vector<int64_t>> gids;
  const std::vector<int64_t> built = plan.setup().BuiltGids();
  for (const sim::PopulationConfig& p : plan.setup().culture.populations) {
    for (const int64_t gid : built) {
      if (gid >= p.first_gid && gid < p.first_gid + p.num_cells) gids[p.name].push_back(gid);
    }
  }
  for (const auto& [population, of_population] : gids) {
    v1::PopulationShare* share = request->mutable_selection()->mutable_populations()->add_shares();
    share->set_population(population);
    client::Pack(of_population, {static_cast<int64_t>(of_population.size())},
                 share->mutable_gids());
  }
}

}  // namespace

RemoteRunner::~RemoteRunner() {
  if (!address_.empty()) Leave(/*lost=*/false);
}

void RemoteRunner::Leave(bool lost) {
  if (lost && session_ != nullptr) session_->Detach();  // there is nobody to end it
  session_.reset();
  client_.reset();
  servers_.Return(std::exchange(address_, ""), lost);
}

absl::Status RemoteRunner::StatusOf(const client::Error& error) const {
  const std::string text = absl::StrCat(address_, ": ", error.ToString());
  // Others have what it holds; of memory a smaller batch takes less.
  const bool is_full = error.reason == "TOO_MANY_SESSIONS" || error.reason == "TOO_MANY_CALLS" ||
                       error.reason == "TOO_BUSY";
  const bool away = error.code == grpc::StatusCode::UNAVAILABLE ||
                    error.code == grpc::StatusCode::DEADLINE_EXCEEDED ||
                    error.code == grpc::StatusCode::CANCELLED ||
                    error.code == grpc::StatusCode::ABORTED || error.session_gone() ||
                    error.in_doubt || is_full || error.reason == "UNKNOWN_OUTCOME";
  if (away) return absl::UnavailableError(text);
  if (error.code == grpc::StatusCode::RESOURCE_EXHAUSTED) return absl::ResourceExhaustedError(text);
  return absl::FailedPreconditionError(text);
}

absl::Status RemoteRunner::Try(const std::string& address) {
  address_ = address;
  client_ = client::Client::Connect(address, Options());
  const auto info = client_->GetServerInfo();
  if (!info.ok()) return StatusOf(info.error());
  if (info->physics_version() != sim::kPhysicsVersion) {
    return absl::FailedPreconditionError(absl::StrCat(address, " has the physics ",
                                                      info->physics_version(), ", and here it is ",
                                                      sim::kPhysicsVersion));
  }
  const lab::SamplePlan& plan = *work_.plan;
  double rows = static_cast<double>(plan.voltage_gids().size());
  if (plan.potentials())
    rows += static_cast<double>(plan.setup().electrode_array->electrodes.size());
  const double ms = std::max(plan.warmup_ms(), plan.duration_ms());
  const double bytes = rows * ms / plan.sample_dt_ms() * sizeof(float);
  const double most =
      std::min(kMaxSeriesBytes, 0.5 * static_cast<double>(info->max_send_message_bytes()));
  const double fits = std::max(1.0, most / std::max(bytes, 1.0));
  const int64_t fills = work_.copies_of_thread * std::max(1, info->num_workers());
  batch_ = std::min({work_.batch > 0 ? work_.batch : fills, kMaxBatch, static_cast<int64_t>(fits),
                     int64_t{std::max(1, info->max_envs_per_session())}});
  LIVND_ASSIGN_OR_RETURN(const std::vector<lab::SampledTrials> found, RunCopies(plan.begin(), 1));
  if (!Same(found[0], work_.first)) {
    return absl::FailedPreconditionError(absl::StrCat(address, " has another system ", work_.system,
                                                      ": the plan's first sample is "
                                                      "another there"));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> RemoteRunner::Ready() {
  if (work_.stop && work_.stop()) return absl::CancelledError("interrupted");
  if (!address_.empty()) return true;
  if (const auto address = servers_.Take(); address.has_value()) {
    const absl::Status tried = Try(*address);
    if (tried.ok()) return true;
    Leave(/*lost=*/true);
    if (!absl::IsUnavailable(tried)) return tried;
    away_ = tried;
  }
  if (SteadyNow() - since_ > work_.patience) return away_;
  return false;
}

absl::StatusOr<client::CultureSession*> RemoteRunner::Session(int64_t num) {
  if (session_ != nullptr && session_->num_envs() == num) return session_.get();
  session_.reset();
  auto created = client_->CreateCulture(work_.system, static_cast<int>(num));
  if (!created.ok()) return StatusOf(created.error());
  session_ = std::move(created).value();
  const lab::SamplePlan& plan = *work_.plan;
  v1::ConfigureRequest request;
  env::CultureChange change;
  change.forget_params = true;
  change.params = plan.params();
  change.recording = lab::RecordingOf(plan);
  change.encoding = lab::EncodingOf(plan);
  EncodeChange(change, &request);
  if (plan.selection().has_value()) EncodeSelection(plan, &request);
  if (const auto done = session_->Configure(std::move(request)); !done.ok()) {
    session_.reset();
    return StatusOf(done.error());
  }
  return session_.get();
}

absl::Status RemoteRunner::TakeTrials(const v1::CultureRecording& recording,
                                      std::vector<lab::SampledTrials>* samples) const {
  const lab::SamplePlan& plan = *work_.plan;
  const size_t num = samples->size();
  LIVND_ASSIGN_OR_RETURN(const auto offsets, Numbers<int64_t>(recording.spike_offsets()));
  LIVND_ASSIGN_OR_RETURN(const auto gids, Numbers<int64_t>(recording.spike_gids()));
  LIVND_ASSIGN_OR_RETURN(const auto ticks, Numbers<int64_t>(recording.spike_ticks()));
  LIVND_ASSIGN_OR_RETURN(const auto failed, Numbers<double>(recording.failed_at_ms()));
  if (offsets.size() != num + 1 || failed.size() != num || gids.size() != ticks.size() ||
      !std::is_sorted(offsets.begin(), offsets.end()) || offsets.front() != 0 ||
      offsets.back() != static_cast<int64_t>(gids.size())) {
    return Garbled();
  }
  const bool has_voltages = !plan.voltage_gids().empty();
  if (recording.series_size() !=
      static_cast<int>(has_voltages) + static_cast<int>(plan.potentials())) {
    return Garbled();
  }
  for (size_t copy = 0; copy < num; ++copy) {
    lab::SampledTrial trial;
    trial.failed_at_ms = failed[copy];
    for (auto i = static_cast<size_t>(offsets[copy]); i < static_cast<size_t>(offsets[copy + 1]);
         ++i) {
      trial.spike_gids.push_back(static_cast<uint32_t>(gids[i]));
      trial.spike_ticks.push_back(static_cast<uint32_t>(ticks[i] - recording.start_tick()));
    }
    (*samples)[copy].push_back(std::move(trial));
  }
  for (int s = 0; s < recording.series_size(); ++s) {
    LIVND_ASSIGN_OR_RETURN(const auto values, Numbers<float>(recording.series(s)));
    const bool of_cells = s == 0 && has_voltages;
    const size_t rows =
        of_cells ? plan.voltage_gids().size() : plan.setup().electrode_array->electrodes.size();
    const size_t size = rows * static_cast<size_t>(plan.num_samples());
    if (values.size() != num * size) return Garbled();
    for (size_t copy = 0; copy < num; ++copy) {
      lab::SampledTrial& trial = (*samples)[copy].back();
      const auto from = values.begin() + static_cast<std::ptrdiff_t>(copy * size);
      (of_cells ? trial.voltages_mv : trial.potentials_uv)
          .assign(from, from + static_cast<std::ptrdiff_t>(size));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<lab::SampledTrials>> RemoteRunner::RunCopies(int64_t first,
                                                                        int64_t num) {
  const lab::SamplePlan& plan = *work_.plan;
  LIVND_ASSIGN_OR_RETURN(client::CultureSession* const session, Session(num));
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
    if (work_.stop && work_.stop()) return absl::CancelledError("interrupted");
    clear.noise_stream = static_cast<uint32_t>(trial);
    if (const auto done = session->Clear(clear); !done.ok()) return StatusOf(done.error());
    if (plan.warmup_ms() > 0.0) {
      const auto warm = session->Run(warmup);
      if (!warm.ok()) return StatusOf(warm.error());
      LIVND_ASSIGN_OR_RETURN(const auto failed, Numbers<double>(warm->failed_at_ms()));
      if (failed.size() != out.size()) return Garbled();
      if (std::none_of(failed.begin(), failed.end(), [](double at) { return std::isnan(at); })) {
        for (size_t i = 0; i < out.size(); ++i) out[i].push_back(lab::FailedTrial(plan, failed[i]));
        continue;
      }
    }
    const auto ran = session->Run(run);
    if (!ran.ok()) return StatusOf(ran.error());
    LIVND_RETURN_IF_ERROR(TakeTrials(*ran, &out));
  }
  return out;
}

absl::StatusOr<std::vector<lab::SampledTrials>> RemoteRunner::Run(int64_t first, int64_t num) {
  std::vector<lab::SampledTrials> out;
  while (out.size() < static_cast<size_t>(num)) {
    const auto done = static_cast<int64_t>(out.size());
    // Even shares of what is left.
    const int64_t batches = (num - done + batch_ - 1) / batch_;
    const int64_t size = (num - done + batches - 1) / batches;
    auto got = RunCopies(first + done, size);
    if (absl::IsResourceExhausted(got.status()) && size > 1) {
      batch_ = size / 2;  // an answer, or the server's memory, has no room for so many
      session_.reset();
      continue;
    }
    if (absl::IsUnavailable(got.status())) {
      away_ = got.status();
      since_ = SteadyNow();
      Leave(/*lost=*/true);
    }
    LIVND_RETURN_IF_ERROR(got.status());
    since_ = SteadyNow();
    std::move(got->begin(), got->end(), std::back_inserter(out));
  }
  return out;
}

}  // namespace livnd::server
