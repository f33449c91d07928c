#include "server/session/hosted_culture.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/wire/convert_culture.h"
#include "server/wire/encode_tensor.h"

namespace livnd::server {
namespace {

// What an answer holds beside its recording.
constexpr int64_t kOverheadBytes = 64 << 10;

// `infos` of all three answers, in the order of env::CultureInfo.
template <typename Response>
void EncodeInfos(const env::LiveCulture& culture, Response* response) {
  const auto n = static_cast<size_t>(culture.num_copies());
  response->clear_infos();
  EncodeVector(std::vector<double>(n, culture.time_ms()), response->add_infos());
  EncodeVector(std::vector<double>(n, culture.noise_stream()), response->add_infos());
  EncodeVector(culture.failed_at_ms(), response->add_infos());
}

}  // namespace

absl::Status HostedCulture::Reset(const v1::ResetRequest& request, v1::ResetResponse* response) {
  LIVND_ASSIGN_OR_RETURN(const env::CultureReset reset,
                         ParseCultureReset(request, spec(), num_envs()));
  LIVND_RETURN_IF_ERROR(FromEnv(culture_->Reset(reset), "", "seeds"));
  EncodeInfos(*culture_, response);
  EncodeVector(culture_->seeds(), response->mutable_seeds());
  return absl::OkStatus();
}

absl::Status HostedCulture::Step(const v1::StepRequest& request, v1::StepResponse* response) {
  if (!request.has_run()) {
    return InvalidField("run", "absent", "present: a culture runs for as long as the call says");
  }
  if (request.actions_size() != 0) {
    return InvalidField("actions", absl::StrCat(request.actions_size(), " tensors"),
                        "none: a culture takes run.stimuli");
  }
  LIVND_ASSIGN_OR_RETURN(env::CultureRun run, ParseRun(request.run(), num_envs()));
  if (!culture_->was_reset()) {
    return NotReset("the session was never Reset; Reset comes before the first Step");
  }
  if (culture_->all_failed()) {
    return MakeError(absl::StatusCode::kFailedPrecondition, reason::kNumericalFailure,
                     absl::StrCat("every copy has left the range of numbers, the first at ",
                                  culture_->failed_at_ms().front(), " ms; Reset before more runs"),
                     {{"accepted", "Reset"}});
  }
  run.max_recording_bytes = max_message_bytes_ - kOverheadBytes - 64 * int64_t{num_envs()};
  const absl::Status ran = culture_->Run(run);
  if (ran.code() == absl::StatusCode::kResourceExhausted) {
    return MakeError(ran.code(), reason::kTooManySpikes, ran.message(),
                     {{"field", "run.duration_ms"},
                      {"value", absl::StrCat(run.duration_ms)},
                      {"accepted", "a shorter run"}});
  }
  LIVND_RETURN_IF_ERROR(FromEnv(ran, "run.", "run"));
  *response = v1::StepResponse();  // recordings are large; nothing of the last one is kept
  EncodeInfos(*culture_, response);
  EncodeRecording(culture_->TakeRecording(), culture_->selection(), num_envs(),
                  culture_->culture().dt_ms(), response->mutable_recording());
  return absl::OkStatus();
}

absl::Status HostedCulture::Observe(v1::ObserveResponse* response) {
  if (!culture_->was_reset()) {
    return NotReset("the session was never Reset; there is nothing to observe");
  }
  const auto n = static_cast<size_t>(num_envs());
  EncodeInfos(*culture_, response);
  EncodeVector(std::vector<int64_t>(n, culture_->num_resets()), response->mutable_episodes());
  EncodeVector(std::vector<int64_t>(n, culture_->tick()), response->mutable_ticks());
  return absl::OkStatus();
}

absl::Status HostedCulture::Configure(const v1::ConfigureRequest& request, v1::ConfigureResponse*) {
  LIVND_ASSIGN_OR_RETURN(const env::CultureChange change, ParseChange(request, *culture_));
  const absl::Status changed = culture_->Change(change);
  if (changed.code() == absl::StatusCode::kFailedPrecondition) {
    return MakeError(changed.code(), reason::kRunStarted, changed.message(),
                     {{"accepted", "Reset first"}});
  }
  return FromEnv(changed, "",
                 request.has_selection_json() ? "selection_json"
                 : request.has_model_json()   ? "model_json"
                                              : "params");
}

absl::Status HostedCulture::GetCulture(const v1::GetCultureRequest& request,
                                       v1::GetCultureResponse* response) {
  EncodeCulture(*culture_, response);
  if (!request.learned_weights()) return absl::OkStatus();
  const auto connections = static_cast<int64_t>(culture_->culture().plastic_connections().size());
  const int64_t bytes = (num_envs() + 4) * connections * 8;
  if (bytes >
      max_message_bytes_ - static_cast<int64_t>(response->ByteSizeLong()) - kOverheadBytes) {
    return InvalidField("learned_weights", absl::StrCat("true, an answer of ", bytes, " bytes"),
                        "true in sessions of fewer copies");
  }
  EncodeLearnedWeights(*culture_, response->mutable_learned_weights());
  return absl::OkStatus();
}

}  // namespace livnd::server
