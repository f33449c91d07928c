// What a session hosts: N copies of one environment, spoken to in the protocol's messages.
#ifndef LIVND_SERVER_SESSION_HOSTED_ENVIRONMENT_H_
#define LIVND_SERVER_SESSION_HOSTED_ENVIRONMENT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/status_macros.h"
#include "env/passage.h"
#include "env/spec.h"
#include "io/recording/stream.h"
#include "livnd/v1/culture_service.pb.h"
#include "livnd/v1/environment_service.pb.h"
#include "livnd/v1/recording_service.pb.h"
#include "livnd/v1/session_service.pb.h"
#include "livnd/v1/snapshot.pb.h"
#include "server/machine/memory_budget.h"
#include "server/metrics/work.h"
#include "server/session/recorder.h"
#include "server/wire/errors.h"
#include "server/wire/snapshot.h"

namespace livnd::server {

// One implementation a kind of environment; the calls of the other kind are refused. Requests come
// without having been looked at, but for session and op_index, which are the session's business;
// responses are filled but for op_index and next_op_index. An error carries an ErrorInfo as the
// proto's comments say, and nothing has changed.
//
// Step and Run may take long, and others want the processors too. So they are begun, continued piece
// by piece until they are over, and then finished; until then no other call is made. One that has
// begun may also be left where it is: the copies are then of no use to anybody.
//
// Thread-compatible: a session calls it on its strand.
class HostedEnvironment {
 public:
  virtual ~HostedEnvironment() = default;

  virtual const env::EnvironmentSpec& spec() const = 0;
  virtual int num_envs() const = 0;
  // All that was done since it was made.
  virtual Work work() const = 0;
  virtual const SnapshotIdentity& identity() const = 0;

  // What there was room for when it was made, and is given back with it; and what its model takes, which
  // others may hold too.
  void Hold(MemoryBudget::Reservation copies,
            std::shared_ptr<const MemoryBudget::Reservation> model) {
    held_ = std::move(copies);
    model_ = std::move(model);
  }
  // Sees to it that what it takes now is spoken for.
  void HoldWhatItTakes() {
    if (const int64_t bytes = num_bytes(); bytes != held_.bytes()) held_.Resize(bytes);
  }
  // Memory that it takes as it is, about.
  virtual int64_t num_bytes() const { return held_.bytes(); }
  // Memory that a call takes while it is done, at most, and what it leaves behind, but for what comes
  // with the recording of a Run. Of calls that take much; requests have not been looked at.
  virtual int64_t BytesFor(const v1::RunRequest&) const { return 0; }
  virtual int64_t BytesFor(const v1::ConfigureRequest&) const { return 0; }
  virtual int64_t BytesFor(const v1::GetCultureRequest&) const { return 0; }
  virtual int64_t BytesForRendering(absl::Span<const int>) const { return 0; }
  virtual int64_t BytesFor(const v1::RestoreRequest& request) const {
    return 4 * static_cast<int64_t>(request.snapshot().size());
  }
  // What the recording of the Run that has begun takes until it is answered.
  virtual int64_t RecordingBytes() const { return 0; }
  // The Run that has begun shall end here, and not have been: there is no memory for its recording.
  virtual void GiveUpRun() {}

  // Copies that exist, in this order, into a snapshot.
  virtual void Save(absl::Span<const int> copies, v1::SnapshotContents* contents) const = 0;
  // Copies of a snapshot of this environment: as RestoreRequest.copy_of says.
  virtual absl::Status Load(const v1::SnapshotContents& contents,
                            const google::protobuf::RepeatedField<int32_t>& copy_of) = 0;

  // Every kind of environment does it alike.
  absl::Status Restore(const v1::RestoreRequest& request, v1::RestoreResponse*) {
    LIVND_ASSIGN_OR_RETURN(const v1::SnapshotContents contents,
                           OpenSnapshot(request.snapshot(), identity()));
    return Load(contents, request.copy_of());
  }

  // How it is recorded. Every operation that succeeds leaves its rows there.
  Recorder& recorder() { return recorder_; }
  const Recorder& recorder() const { return recorder_; }
  absl::Status StartRecording(const v1::StartRecordingRequest& request,
                              v1::StartRecordingResponse* response);
  absl::Status StopRecording(const v1::StopRecordingRequest& request,
                             v1::StopRecordingResponse* response);
  // Goes on as a journal says, which begins with the copies as they are. INVALID_FIELD.
  absl::Status GoOnRecording(const v1::JournalRecording& recording);

  // Takes the Step or Run that has begun on, some copies by at most max_ticks >= 1. How it is cut
  // changes no bit.
  virtual env::Progress Continue(int64_t max_ticks) = 0;

  // Whether a call takes long and cannot be cut, as where a culture is built.
  virtual bool IsLong(const v1::ConfigureRequest&) const { return false; }
  virtual bool IsLong(const v1::GetCultureRequest&) const { return false; }
  virtual bool IsLong(const v1::RestoreRequest&) const { return false; }
  // They wait for the disk.
  bool IsLong(const v1::StartRecordingRequest&) const { return true; }
  bool IsLong(const v1::StopRecordingRequest&) const { return true; }

  // Of environments with a task.
  virtual absl::Status Reset(const v1::ResetRequest&, v1::ResetResponse*) { return NotATask(); }
  virtual absl::Status BeginStep(const v1::StepRequest&) { return NotATask(); }
  virtual absl::Status FinishStep(v1::StepResponse*) { return NotATask(); }
  virtual absl::Status Observe(v1::ObserveResponse*) { return NotATask(); }
  // Of copies that exist.
  virtual absl::Status Render(absl::Span<const int>, v1::RenderResponse*) { return NotATask(); }

  // Of cultures.
  virtual absl::Status Configure(const v1::ConfigureRequest&, v1::ConfigureResponse*) {
    return NotACulture();
  }
  virtual absl::Status BeginRun(const v1::RunRequest&) { return NotACulture(); }
  virtual absl::Status FinishRun(v1::RunResponse*) { return NotACulture(); }
  virtual absl::Status Clear(const v1::ClearRequest&, v1::ClearResponse*) { return NotACulture(); }
  virtual absl::Status GetCulture(const v1::GetCultureRequest&, v1::GetCultureResponse*) {
    return NotACulture();
  }

 protected:
  // The streams of a recording, and the rows that it begins with: [stream].
  struct FirstRows {
    std::vector<io::StreamSpec> streams;
    std::vector<std::string> rows;
    int64_t tick_ns = 0;          // a tick's length
    int64_t operation_bytes = 0;  // that an operation takes up besides while it is recorded
  };

 private:
  // From now on, until EndRows, operations leave rows in recorder(). INVALID_FIELD ("kinds[0]").
  virtual absl::StatusOr<FirstRows> BeginRows(const v1::StartRecordingRequest& request) = 0;
  virtual void EndRows() = 0;

  Recorder recorder_;
  MemoryBudget::Reservation held_;
  std::shared_ptr<const MemoryBudget::Reservation> model_;

  absl::Status Refuse(absl::string_view reason, absl::string_view kind) const {
    return MakeError(
        absl::StatusCode::kFailedPrecondition, reason,
        absl::StrCat("the call is for sessions on ", kind, ", and this one is on ", spec().id),
        {{"value", spec().id}, {"accepted", absl::StrCat("a session on ", kind)}});
  }
  absl::Status NotACulture() const { return Refuse(reason::kNotACulture, "a culture"); }
  absl::Status NotATask() const { return Refuse(reason::kNotATask, "an environment with a task"); }
};

// FAILED_PRECONDITION / NOT_RESET: `accepted` is what must come first.
inline absl::Status NotReset(absl::string_view what, absl::string_view accepted) {
  return MakeError(absl::StatusCode::kFailedPrecondition, reason::kNotReset, what,
                   {{"accepted", std::string(accepted)}});
}

}  // namespace livnd::server

#endif  // LIVND_SERVER_SESSION_HOSTED_ENVIRONMENT_H_
