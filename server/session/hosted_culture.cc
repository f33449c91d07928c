#include "server/session/hosted_culture.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "env/copies.h"
#include "server/metrics/stopwatch.h"
#include "server/wire/change_fields.h"
#include "server/wire/culture.h"
#include "server/wire/pulse_plan.h"
#include "server/wire/recorded_stream.h"
#include "server/wire/recording.h"
#include "server/wire/tensor.h"

namespace livnd::server {
namespace {

// What an answer holds beside its recording.
constexpr int64_t kOverheadBytes = 64 << 10;

// A recording is kept as it is made, collected, encoded, written out and sent.
constexpr int64_t kTimesRecorded = 5;
// So many bytes of spikes are seen to before a run begins; more, as they come.
constexpr int64_t kSureSpikeBytes = 1 << 20;
// A place that a stimulus names becomes an entry of a map; samples are read, and then kept.
constexpr int64_t kTimesSites = 24;
constexpr int64_t kTimesSamples = 2;
// Rows are appended to a string that grows.
constexpr int64_t kBytesOfStimulusRow = 44;
constexpr int64_t kTimesRows = 2;
// Of an electrode's account, as it is kept and as it is sent.
constexpr int64_t kBytesOfCharge = 80;

// All copies have failed, copy `first` before the others.
absl::Status AllFailed(const std::vector<double>& failed_at_ms, int first) {
  const auto text = [&](size_t copy) {
    return absl::StrCat("copy ", copy, " at ", Exact(failed_at_ms[copy]), " ms");
  };
  std::string each;
  for (size_t copy = 0; copy < failed_at_ms.size(); ++copy) {
    absl::StrAppend(&each, copy == 0 ? "" : ", ", text(copy));
  }
  return MakeError(absl::StatusCode::kFailedPrecondition, reason::kNumericalFailure,
                   absl::StrCat("every copy has left the range of numbers, the first one, ",
                                text(static_cast<size_t>(first)), "; Clear before more runs"),
                   {{"value", each}, {"accepted", "Clear"}});
}

int64_t NumFailed(const std::vector<double>& failed_at_ms) {
  return std::count_if(failed_at_ms.begin(), failed_at_ms.end(),
                       [](double at_ms) { return !std::isnan(at_ms); });
}

}  // namespace

void HostedCulture::CountRun() {
  const double start_ms = culture_->time_ms() - duration_ms_;
  for (const double failed_at_ms : culture_->failed_at_ms()) {
    const double lived_ms =
        std::isnan(failed_at_ms) ? duration_ms_ : std::max(0.0, failed_at_ms - start_ms);
    work_.simulated_s += lived_ms * 1e-3;
  }
  work_.numerical_failures += NumFailed(culture_->failed_at_ms()) - num_failed_before_;
}

int64_t HostedCulture::num_bytes() const {
  return env::BytesOfCopies(culture_->culture(), num_envs()) + culture_->StimulusBytes() +
         (culture_->owns_culture() ? build_bytes_ : 0);
}

int64_t HostedCulture::BytesFor(const v1::RunRequest& request) const {
  const double duration_ms = request.duration_ms();
  int64_t bytes = kTimesRecorded * culture_->RecordingBytes(duration_ms, kSureSpikeBytes) +
                  culture_->CodingBytes(duration_ms, request.has_features());
  bytes += kTimesSamples * static_cast<int64_t>(request.features().data().size());
  for (const v1::CultureStimulus& stimulus : request.stimuli()) {
    const auto samples = static_cast<int64_t>(stimulus.samples().data().size());
    bytes += kTimesSamples * samples +
             kTimesSites * (static_cast<int64_t>(stimulus.ByteSizeLong()) - samples);
  }
  if (request.has_pulse_plan()) bytes += BytesOfPlan(request.pulse_plan());
  if (rows_ != nullptr && rows_->has_stimuli()) bytes += StimulusRowBytes(request);
  if (request.charges()) bytes += ChargeBytes();
  return bytes;
}

int64_t HostedCulture::StimulusRowBytes(const v1::RunRequest& request) const {
  int64_t num_rows = 0;  // at most, if no sample is as the one before it
  for (const v1::CultureStimulus& stimulus : request.stimuli()) {
    const auto samples = static_cast<int64_t>(stimulus.samples().data().size() / sizeof(double));
    num_rows += samples * (stimulus.samples().shape_size() == 3 ? 1 : num_envs());
  }
  if (request.has_pulse_plan()) num_rows += num_envs() * MostPhases(request.pulse_plan());
  int64_t bytes = 0;
  if (request.has_features()) {
    bytes = culture_->FeatureBytes(request.duration_ms());
    num_rows += bytes / static_cast<int64_t>(sizeof(double));
  }
  return bytes + kTimesRows * kBytesOfStimulusRow * num_rows;
}

int64_t HostedCulture::ChargeBytes() const {
  if (!culture_->setup().electrode_array.has_value()) return 0;
  return kBytesOfCharge *
         static_cast<int64_t>(culture_->setup().electrode_array->electrodes.size());
}

int64_t HostedCulture::RecordingBytes() const {
  return kTimesRecorded * std::max<int64_t>(0, culture_->SpikeBytes() - kSureSpikeBytes);
}

int64_t HostedCulture::BytesFor(const v1::ConfigureRequest& request) const {
  int64_t bytes = 4 * static_cast<int64_t>(request.ByteSizeLong());
  if (request.has_input_spikes()) {
    bytes += culture_->InputSpikeBytes(
        static_cast<int64_t>(request.input_spikes().times_ms().data().size() / sizeof(double)));
  }
  // The new one and its copies beside the old one's.
  if (IsLong(request)) {
    bytes += build_bytes_ + 2 * env::BytesOfCopies(culture_->culture(), num_envs());
  }
  return bytes;
}

int64_t HostedCulture::BytesFor(const v1::GetCultureRequest& request) const {
  // What is said of every cell and parameter, twice; and what is asked for besides.
  int64_t bytes = 1024 * static_cast<int64_t>(culture_->culture().gids().size());
  if (request.learned_weights()) {
    bytes += 3 * (num_envs() + 4) *
             static_cast<int64_t>(culture_->culture().plastic_connections().size() * 8);
  }
  if (request.electrode_hearing() && culture_->setup().electrode_array.has_value()) {
    bytes += 4 * culture_->culture().num_section_rows() *
             static_cast<int64_t>(culture_->setup().electrode_array->electrodes.size() * 8);
  }
  return bytes;
}

int64_t HostedCulture::BytesFor(const v1::RestoreRequest& request) const {
  return HostedEnvironment::BytesFor(request) + build_bytes_ +
         2 * env::BytesOfCopies(culture_->culture(), num_envs());
}

void HostedCulture::Save(absl::Span<const int> copies, v1::SnapshotContents* contents) const {
  const env::SavedCulture saved = env::TakeCopies(culture_->Save(), copies);
  v1::CultureSnapshot* culture = contents->mutable_culture();
  *culture->mutable_settings() = setup_;
  EncodeChange(saved.settings, culture->mutable_settings());
  EncodeSavedCulture(saved, culture);
}

absl::Status HostedCulture::Load(const v1::SnapshotContents& contents,
                                 const google::protobuf::RepeatedField<int32_t>& copy_of) {
  LIVND_RETURN_IF_ERROR(CheckNotRecording("its snapshot would bring streams of its own"));
  const v1::CultureSnapshot& snapshot = contents.culture();
  LIVND_ASSIGN_OR_RETURN(
      const std::vector<int> from,
      ParseCopyOf(copy_of, num_envs(), snapshot.copies_size(), /*may_stay=*/false));
  LIVND_ASSIGN_OR_RETURN(env::SavedCulture saved, ParseSavedCulture(snapshot));
  LIVND_ASSIGN_OR_RETURN(saved.settings, ParseChange(snapshot.settings(), *culture_));
  auto restored =
      env::LiveCulture::Restore(culture_->shared_model(), saved, from, culture_->executor());
  if (!restored.ok()) return AtField("snapshot", restored.status());
  culture_ = *std::move(restored);
  setup_.Clear();
  KeepSetup(snapshot.settings());
  return absl::OkStatus();
}

absl::StatusOr<HostedEnvironment::FirstRows> HostedCulture::BeginRows(
    const v1::StartRecordingRequest& request) {
  LIVND_ASSIGN_OR_RETURN(const env::RunSelection selection,
                         ParseCultureKinds(request.kinds(), culture_->selection(),
                                           culture_->setup().electrode_array.has_value()));
  if (request.series_size() > 0) {
    return InvalidField("series", absl::StrCat(request.series_size(), " series"),
                        "none: Configure.recording selects those of a culture");
  }
  rows_ = std::make_unique<env::RunRows>(selection, culture_->num_rows(),
                                         culture_->culture().dt_ms(), env::ChannelsOf(*culture_));
  FirstRows out;
  out.tick_ns = TickNs(culture_->culture());
  out.streams = rows_->streams();
  out.rows.resize(out.streams.size());
  rows_->AddLabels(absl::MakeSpan(out.rows));
  return out;
}

absl::Status HostedCulture::CheckNotRecording(absl::string_view what) const {
  if (rows_ == nullptr) return absl::OkStatus();
  return AlreadyRecording(recorder().name(), what);
}

void HostedCulture::KeepSetup(const v1::ConfigureRequest& request) {
  if (request.has_selection()) *setup_.mutable_selection() = request.selection();
  if (request.has_model()) *setup_.mutable_model() = request.model();
}

absl::Status HostedCulture::Clear(const v1::ClearRequest& request, v1::ClearResponse* response) {
  LIVND_ASSIGN_OR_RETURN(const env::CultureClear clear, ParseClear(request, num_envs()));
  LIVND_RETURN_IF_ERROR(culture_->Clear(clear));
  EncodeVector(culture_->seeds(), response->mutable_seeds());
  response->set_noise_stream(culture_->noise_stream());
  return absl::OkStatus();
}

absl::Status HostedCulture::BeginRun(const v1::RunRequest& request) {
  LIVND_ASSIGN_OR_RETURN(env::CultureRun run, ParseRun(request, num_envs()));
  if (!culture_->was_cleared()) {
    return NotReset("the culture was never cleared; Clear comes before the first Run", "Clear");
  }
  if (culture_->all_failed()) {
    return AllFailed(culture_->failed_at_ms(), culture_->first_failed());
  }
  run.keep_stimuli = rows_ != nullptr && rows_->has_stimuli();
  run.sure_recording_bytes = kSureSpikeBytes;
  run.max_recording_bytes = max_message_bytes_ - kOverheadBytes - 64 * int64_t{num_envs()};
  if (run.account_charges) run.max_recording_bytes -= ChargeBytes();
  duration_ms_ = run.duration_ms;
  num_failed_before_ = NumFailed(culture_->failed_at_ms());
  return culture_->BeginRun(run);
}

absl::Status HostedCulture::FinishRun(v1::RunResponse* response) {
  const absl::Status ran = culture_->FinishRun();
  if (ran.code() == absl::StatusCode::kResourceExhausted) {
    return MakeError(
        ran.code(), reason::kTooManySpikes, ran.message(),
        {{"field", "duration_ms"}, {"value", Exact(duration_ms_)}, {"accepted", "a shorter run"}});
  }
  LIVND_RETURN_IF_ERROR(ran);
  CountRun();
  env::CultureRecording recording = culture_->TakeRecording();
  if (!recording.charges.empty()) {
    EncodeCharges(recording.charges, *culture_->setup().electrode_array,
                  response->mutable_recording()->mutable_charges());
  }
  if (rows_ != nullptr) {
    Stopwatch making;
    rows_->AddRun(recording, culture_->num_clears(), recorder().rows());
    recorder().Took(making.Lap());
  }
  EncodeRecording(std::move(recording), culture_->selection(), num_envs(),
                  TickNs(culture_->culture()), response->mutable_recording());
  return absl::OkStatus();
}

bool HostedCulture::IsLong(const v1::ConfigureRequest& request) const {
  // What builds the culture anew.
  return request.has_selection() || request.has_model() || request.has_dt_ms() ||
         request.has_v_init_mv() || request.forget_params() || !request.params_group().empty() ||
         request.params_size() > 0 || request.has_opsin() || request.has_plasticity() ||
         request.has_device() || request.has_light_array();
}

absl::Status HostedCulture::Configure(const v1::ConfigureRequest& request, v1::ConfigureResponse*) {
  if (request.has_recording() || request.has_selection() || request.has_model() ||
      request.has_dt_ms() || request.has_device() || request.has_light_array()) {
    LIVND_RETURN_IF_ERROR(CheckNotRecording("its streams would change"));
  }
  LIVND_ASSIGN_OR_RETURN(const env::CultureChange change, ParseChange(request, *culture_));
  const absl::Status changed = culture_->Change(change);
  if (changed.code() == absl::StatusCode::kFailedPrecondition) {
    return MakeError(changed.code(), reason::kRunStarted, changed.message(),
                     {{"accepted", "Clear first"}});
  }
  if (changed.ok()) {
    KeepSetup(request);
    if (rows_ != nullptr) rows_->Hear(env::ChannelsOf(*culture_));
  }
  return InRequest(request, changed);
}

absl::Status HostedCulture::GetCulture(const v1::GetCultureRequest& request,
                                       v1::GetCultureResponse* response) {
  EncodeCulture(*culture_, response);
  auto bytes = static_cast<int64_t>(response->ByteSizeLong());
  if (request.learned_weights()) {
    const auto connections = static_cast<int64_t>(culture_->culture().plastic_connections().size());
    bytes += (num_envs() + 4) * connections * 8;
  }
  std::shared_ptr<const env::ElectrodeHearing> hearing;
  if (request.electrode_hearing()) {
    auto found = culture_->Hearing();
    LIVND_RETURN_IF_ERROR(found.status());
    hearing = *std::move(found);
    const size_t electrodes = hearing->gains.num_electrodes();
    bytes += static_cast<int64_t>((electrodes + 2) * hearing->sites.size()) * 8;
  }
  const int64_t most = max_message_bytes_ - kOverheadBytes;
  if (bytes > most) return AnswerTooLarge(bytes, most, "fewer cells or copies");
  if (request.learned_weights()) {
    EncodeLearnedWeights(*culture_, response->mutable_learned_weights());
  }
  if (hearing != nullptr) EncodeHearing(*hearing, response->mutable_electrode_hearing());
  return absl::OkStatus();
}

}  // namespace livnd::server
