#include "server/session/hosted_environment.h"

#include <utility>

#include "env/recording/episode_rows.h"

namespace livnd::server {
namespace {

constexpr size_t kMaxLabelBytes = 256;

}  // namespace

absl::Status HostedEnvironment::StartRecording(const v1::StartRecordingRequest& request,
                                               v1::StartRecordingResponse* response) {
  if (recorder_.active()) {
    return AlreadyRecording(recorder_.name(), "");
  }
  if (request.label().size() > kMaxLabelBytes) {
    return InvalidField("label", absl::StrCat(request.label().size(), " bytes"),
                        absl::StrCat("at most ", kMaxLabelBytes, " bytes"));
  }
  LIVND_ASSIGN_OR_RETURN(FirstRows first, BeginRows(request));
  io::Attributes attributes = env::RecordingAttributes(spec(), num_envs());
  attributes["tick_ns"] = first.tick_ns;
  const absl::Status started = recorder_.Start(request, std::move(attributes),
                                               std::move(first.streams), first.operation_bytes);
  if (!started.ok()) {
    EndRows();
    return started;
  }
  for (size_t i = 0; i < first.rows.size(); ++i) recorder_.rows()[i] = std::move(first.rows[i]);
  response->set_recording(recorder_.name());
  return absl::OkStatus();
}

absl::Status HostedEnvironment::StopRecording(const v1::StopRecordingRequest&,
                                              v1::StopRecordingResponse* response) {
  if (!recorder_.active()) {
    return MakeError(absl::StatusCode::kFailedPrecondition, reason::kNotRecording,
                     "the session is not being recorded", {{"accepted", "StartRecording first"}});
  }
  response->set_recording(recorder_.name());
  recorder_.Stop();
  EndRows();
  return absl::OkStatus();
}

absl::Status HostedEnvironment::GoOnRecording(const v1::JournalRecording& recording) {
  LIVND_ASSIGN_OR_RETURN(const FirstRows first, BeginRows(recording.request()));
  recorder_.GoOn(recording, first.streams, first.operation_bytes);
  return absl::OkStatus();
}

}  // namespace livnd::server
