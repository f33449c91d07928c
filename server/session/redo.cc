#include "server/session/redo.h"

#include <cstddef>
#include <deque>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "server/journal/answer_digests.h"
#include "server/session/recorder.h"
#include "server/wire/message_bytes.h"
#include "server/wire/snapshot.h"
#include "server/wire/spec.h"

namespace livnd::server {
namespace {

// An operation as it was asked for and answered.
struct Done {
  std::string payload;  // canonical, as an OperationLog compares it
  std::string answer;
  const google::protobuf::Descriptor* type = nullptr;  // of the answer
};

absl::Status Unreadable(int64_t op_index) {
  return absl::DataLossError(
      absl::StrCat("operation ", op_index, " of the journal cannot be read"));
}

template <typename Response, typename Request, typename Operation>
absl::StatusOr<Done> Do(const v1::JournalOperation& record, int64_t op_index, Operation operation) {
  Request request;
  if (!request.ParseFromString(record.request()) || request.op_index() != op_index) {
    return Unreadable(op_index);
  }
  Response response;
  LIVND_RETURN_IF_ERROR(operation(request, &response));
  response.set_op_index(op_index);
  Done out;
  CanonicalBytes(request, &out.payload);
  response.SerializeToString(&out.answer);
  out.type = Response::descriptor();
  return out;
}

absl::StatusOr<Done> Do(const v1::JournalOperation& record, int64_t op_index,
                        HostedEnvironment& environment) {
  const auto to_the_end = [&] {
    while (!environment.Continue(std::numeric_limits<int64_t>::max()).over) {
    }
  };
  switch (record.method()) {
    case v1::JOURNAL_METHOD_RESET:
      return Do<v1::ResetResponse, v1::ResetRequest>(record, op_index,
                                                     [&](const auto& request, auto* response) {
                                                       return environment.Reset(request, response);
                                                     });
    case v1::JOURNAL_METHOD_STEP:
      return Do<v1::StepResponse, v1::StepRequest>(
          record, op_index, [&](const auto& request, auto* response) {
            LIVND_RETURN_IF_ERROR(environment.BeginStep(request));
            to_the_end();
            return environment.FinishStep(response);
          });
    case v1::JOURNAL_METHOD_CONFIGURE:
      return Do<v1::ConfigureResponse, v1::ConfigureRequest>(
          record, op_index, [&](const auto& request, auto* response) {
            return environment.Configure(request, response);
          });
    case v1::JOURNAL_METHOD_RUN:
      return Do<v1::RunResponse, v1::RunRequest>(
          record, op_index, [&](const auto& request, auto* response) {
            LIVND_RETURN_IF_ERROR(environment.BeginRun(request));
            to_the_end();
            return environment.FinishRun(response);
          });
    case v1::JOURNAL_METHOD_CLEAR:
      return Do<v1::ClearResponse, v1::ClearRequest>(record, op_index,
                                                     [&](const auto& request, auto* response) {
                                                       return environment.Clear(request, response);
                                                     });
    case v1::JOURNAL_METHOD_RESTORE:
      return Do<v1::RestoreResponse, v1::RestoreRequest>(
          record, op_index, [&](const auto& request, auto* response) {
            return environment.Restore(request, response);
          });
    case v1::JOURNAL_METHOD_START_RECORDING:
      return Do<v1::StartRecordingResponse, v1::StartRecordingRequest>(
          record, op_index, [&](const auto& request, auto* response) {
            return environment.StartRecording(request, response);
          });
    case v1::JOURNAL_METHOD_STOP_RECORDING:
      return Do<v1::StopRecordingResponse, v1::StopRecordingRequest>(
          record, op_index, [&](const auto& request, auto* response) {
            return environment.StopRecording(request, response);
          });
    default:
      return Unreadable(op_index);
  }
}

// An answer must have the digests that it had.
absl::Status Compare(const v1::JournalOperation& record, const Done& done, int64_t op_index) {
  const std::vector<FieldDigest> fields = DigestFields(done.answer);
  const auto num_then = static_cast<size_t>(record.digests_size());
  for (size_t i = 0; i < fields.size() && i < num_then; ++i) {
    if (fields[i].digest == record.digests(static_cast<int>(i))) continue;
    return absl::DataLossError(absl::StrCat("operation ", op_index, ": ",
                                            NameOf(fields, i, *done.type),
                                            " of the answer is another one than then"));
  }
  if (fields.size() == num_then) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("operation ", op_index, ": the answer has ",
                                          fields.size(), " fields, and then it had ", num_then));
}

}  // namespace

absl::StatusOr<WantedCopies> WantedBy(const v1::JournalHead& head) {
  WantedCopies out;
  out.num_envs = head.num_envs();
  LIVND_ASSIGN_OR_RETURN(out.autoreset, ParseAutoresetMode(head.autoreset_mode()));
  out.unseeded_seed = head.unseeded_seed();
  out.max_episode_steps = head.max_episode_steps();
  return out;
}

std::string RecordingKey(const v1::JournalHead& head) {
  return absl::StrCat(head.tenant(), "\n", head.request_id(), "\n", head.unseeded_seed());
}

absl::StatusOr<Redone> RedoJournal(const v1::JournalHead& head,
                                   absl::Span<const v1::JournalRecord> records,
                                   HostedEnvironment& environment, absl::FunctionRef<void()> did) {
  LIVND_RETURN_IF_ERROR(CheckIdentity(head.start(), environment.identity()));
  if (head.start().contents_case() != v1::SnapshotContents::CONTENTS_NOT_SET) {
    LIVND_RETURN_IF_ERROR(environment.Load(head.start(), {}));
  }
  if (head.has_recording()) LIVND_RETURN_IF_ERROR(environment.GoOnRecording(head.recording()));
  Recorder& recorder = environment.recorder();
  recorder.SetKey(RecordingKey(head));
  recorder.BeginRedo();
  Redone out;
  out.generation = head.generation();
  std::deque<OperationLog::Done> done;
  for (const v1::JournalAnswer& earlier : head.earlier_answers()) {
    done.push_back({earlier.request(), BufferOfBytes(earlier.answer())});
  }
  done.push_back({head.last_request(), BufferOfBytes(head.last_answer())});
  out.log.Restore(head.next_op_index(), std::move(done));
  for (const v1::JournalRecord& record : records) {
    if (record.has_attachment()) out.generation = record.attachment().generation();
    if (!record.has_operation()) continue;
    const int64_t op_index = out.log.next();
    absl::StatusOr<Done> again = Do(record.operation(), op_index, environment);
    if (!again.ok()) {
      return absl::Status(again.status().code(),
                          absl::StrCat("operation ", op_index, ": ", again.status().message()));
    }
    LIVND_RETURN_IF_ERROR(Compare(record.operation(), *again, op_index));
    recorder.Release(recorder.Keep(absl::ZeroDuration()));
    recorder.WaitForRoom();
    out.log.Commit(again->payload, BufferOfBytes(again->answer),
                   record.operation().oldest_op_index());
    did();
  }
  recorder.EndRedo();
  return out;
}

}  // namespace livnd::server
