// One client's copies of one environment.
#ifndef LIVND_SERVER_SESSION_SESSION_H_
#define LIVND_SERVER_SESSION_SESSION_H_

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/variant.h"
#include "env/task/vector_environment.h"
#include "grpcpp/support/byte_buffer.h"
#include "livnd/v1/culture_service.pb.h"
#include "livnd/v1/environment_service.pb.h"
#include "livnd/v1/recording_service.pb.h"
#include "server/journal/session_journal.h"
#include "server/journal/sync_thread.h"
#include "server/machine/memory_budget.h"
#include "server/machine/strand.h"
#include "server/machine/worker_pool.h"
#include "server/metrics/metrics.h"
#include "server/metrics/work.h"
#include "server/session/hosted_environment.h"
#include "server/session/operation_log.h"
#include "server/session/pace.h"
#include "server/session/piece_length.h"
#include "server/session/tenant.h"

namespace livnd::server {

// Owns the copies, the strand on which everything that touches them runs, and the log that makes
// operations exactly-once. Answers are serialized messages: the last operation's is kept, and sent
// again without a copy. Errors are those of the proto's comments, as absl::Status with an
// ErrorInfo.
//
// Post, Close, End and the accessors are thread-safe. The calls of the protocol must run on the strand.
class Session {
 public:
  // What a turn of a call has come to: the answer; or that the call is to be made again, with the
  // same request, in a turn of that kind (never Turn::kOver). No other call comes between.
  using Reply = absl::variant<Turn, absl::StatusOr<grpc::ByteBuffer>>;

  // What a session begins with, whether it is new or goes on.
  struct Start {
    std::string name;
    std::unique_ptr<HostedEnvironment> environment;
    env::AutoresetMode autoreset = env::AutoresetMode::kNextStep;
    std::unique_ptr<SessionJournal> journal;  // null: nothing is written down
    int64_t generation = 1;
    OperationLog log;
    double speed = 0.0;              // of its Pace
    MemoryBudget* memory = nullptr;  // null: as much as there is
    std::shared_ptr<Tenant> tenant;  // whose it is; null: nobody counts
  };
  // The pool, the memory, and the metrics, which count what the session does, must outlive it.
  Session(Start start, WorkerPool& pool, Metrics& metrics);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const std::string& name() const { return name_; }
  // The beginning of the name, by which logs and their readers know the session. It drives nothing:
  // the rest cannot be guessed.
  static absl::string_view TagOf(absl::string_view name) { return name.substr(0, 8); }
  absl::string_view tag() const { return TagOf(name_); }
  const env::EnvironmentSpec& spec() const { return spec_; }
  int num_envs() const { return num_envs_; }
  env::AutoresetMode autoreset() const { return autoreset_; }

  void Post(Strand::Task task, Strand::First first = Strand::First::kOnAWorker) {
    strand_->Post(std::move(task), first);
  }

  // Where a step is best begun, by what the last ones took. Thread-safe.
  Strand::First FirstTurnOfStep() const {
    return steps_are_short_ ? Strand::First::kHere : Strand::First::kOnAWorker;
  }
  // A step took so long, all that is done for its answer among it.
  void StepTook(absl::Duration duration);

  // From now on nothing begins: calls that wait, and those still to come, answer SHUTTING_DOWN at
  // once. What has begun goes on.
  void Close();

  // From now on calls answer UNKNOWN_SESSION: those that are still to come, and at its next turn one
  // that has begun, which is left half way.
  void End() { ended_ = true; }

  // Operations take session and generation out of the request.
  Reply Reset(v1::ResetRequest& request);
  // Answers from `oldest_op_index` on are kept, should they be asked for again; 0: only this one's.
  Reply Step(v1::StepRequest& request, int64_t oldest_op_index = 0);
  Reply Configure(v1::ConfigureRequest& request);
  Reply Run(v1::RunRequest& request);
  Reply Clear(v1::ClearRequest& request);
  Reply Restore(v1::RestoreRequest& request);
  Reply StartRecording(v1::StartRecordingRequest& request);
  Reply StopRecording(v1::StopRecordingRequest& request);
  Reply Observe();
  // ANSWER_TOO_LARGE beyond max_bytes.
  Reply Render(const v1::RenderRequest& request, int64_t max_bytes);
  Reply GetCulture(const v1::GetCultureRequest& request);
  Reply Get();
  Reply Attach();
  // The copies named, or all of them where none is. ANSWER_TOO_LARGE.
  absl::StatusOr<std::string> Snapshot(const google::protobuf::RepeatedField<int32_t>& copies,
                                       int64_t max_bytes);
  // Thread-safe.
  int64_t generation() const { return generation_; }
  int64_t next_op_index() const { return log_.next(); }
  // As it was made; Get tells where it stands now. Thread-safe.
  v1::CreateSessionResponse Describe() const;

  double speed() const { return pace_.speed(); }
  // When the operation that was just answered may be told; the past where nothing is paced. On the strand.
  Pace::Time due() const { return due_; }
  // It is told now. Thread-safe.
  void Tell(Pace::Time due) {
    if (pace_.Tell(due, Pace::Clock::now())) metrics_.CountLate();
  }

  // Of the session's journal. Who waits calls `done` when what was done until now is kept.
  bool waits_for_disk() const { return journal_ != nullptr && journal_->waits(); }
  void WhenKept(SyncThread::Done done) { journal_->WhenKept(std::move(done)); }
  // What was done until now is written down, or could be.
  absl::Status Keep();
  // Writes all of the session down, which then may leave the memory.
  absl::Status Park();
  // Brings the journal to where it is quickest to go on from.
  void Settle();
  // Nothing is written down any more, and what was goes, but for recordings, which are complete.
  void Forget();
  // The name of the recording that goes on when the session comes back; "" if none does.
  std::string recording() const {
    const Recorder& recorder = environment_->recorder();
    return recorder.active() ? recorder.name() : "";
  }
  // That one does not go on after all.
  bool cut_short() const { return environment_->recorder().cut_short(); }

  // Its calls whose answers have not left; whoever counts one up counts it down. Thread-safe.
  const std::shared_ptr<std::atomic<int>>& unanswered() const { return unanswered_; }

  // Memory that it takes, about. Thread-safe.
  int64_t num_bytes() const { return num_bytes_; }

 private:
  // Why nothing is done any more, half way or at all: the session or the server ends. Once not OK it
  // stays so.
  absl::Status Ended() const;

  // Sees that the tenant may have so much simulated. QUOTA_EXCEEDED.
  absl::Status Spend(double simulated_s);
  // Sees that there is room for what a call takes while it is done. OUT_OF_MEMORY.
  absl::Status MakeRoom(int64_t bytes);
  // Gives back what the call that is over took, and has what is left counted.
  void EndCall();

  // What is answered without doing anything: an error, or an operation's answer again.
  template <typename Request>
  absl::optional<Reply> AnswerAtOnce(Request& request);
  absl::Status BeginJournalAnew(bool parked);
  v1::CreateSessionResponse DescribeNow() const;
  // The copies named, or all of them where none is.
  absl::StatusOr<std::vector<int>> Chosen(
      const google::protobuf::RepeatedField<int32_t>& copies) const;
  // Numbered operations, exactly once: in one turn, where `aside` says among the work that cannot be
  // cut; or piece by piece.
  template <typename Request, typename Response>
  Reply Operate(Request& request, Response* response, bool aside,
                absl::Status (HostedEnvironment::*operation)(const Request&, Response*));
  template <typename Request, typename Response>
  Reply OperateInPieces(Request& request, Response* response,
                        absl::Status (HostedEnvironment::*begin)(const Request&),
                        absl::Status (HostedEnvironment::*finish)(Response*), int64_t oldest = 0);
  template <typename Request, typename Response>
  Reply Commit(const Request& request, Response* response, int64_t oldest = 0);
  // True once the operation is over.
  bool ContinueForATurn();
  // Whether an operation that is to begin has to wait, among the work that cannot be cut, for the disk to
  // take rows of those before it; the second turn does that.
  bool MustAwaitRoom();
  // What an operation has left to be recorded goes on its way.
  template <typename Request>
  void HandOverRows();

  // What an answer is sent as; counts how long that takes.
  template <typename Request, typename Response>
  grpc::ByteBuffer WriteOut(const Response& response);

  const std::string name_;
  const env::AutoresetMode autoreset_;
  WorkerPool& pool_;
  const std::shared_ptr<Strand> strand_;
  const std::shared_ptr<HostedEnvironment> environment_;  // touched on the strand only
  const env::EnvironmentSpec& spec_;                      // the environment's
  const int num_envs_;
  Metrics& metrics_;
  MemoryBudget unlimited_;
  MemoryBudget& memory_;
  // Of a Reset, a Step or an Observe: the answer, and what it is made from.
  const int64_t shown_bytes_;
  const std::shared_ptr<std::atomic<int>> unanswered_ = std::make_shared<std::atomic<int>>(0);
  std::atomic<int64_t> num_bytes_{0};
  std::atomic<bool> closed_{false};
  std::atomic<bool> ended_{false};
  std::atomic<bool> steps_are_short_{false};

  // Touched on the strand only.
  std::unique_ptr<SessionJournal> journal_;  // null: nothing is written down
  std::atomic<int64_t> generation_;
  MemoryBudget::Reservation kept_;  // between calls, beside its copies
  MemoryBudget::Reservation work_;  // of the call that is being done
  int64_t work_bytes_ = 0;          // that it was to take
  const std::shared_ptr<Tenant> tenant_;
  double spent_s_ =
      0.0;  // of culture time, that the tenant was charged for the call and was not used
  // The messages and buffers are kept for their capacity, unless that is large.
  OperationLog log_;
  bool under_way_ = false;    // a call has had a turn and is to have more
  bool awaits_room_ = false;  // so is one that has not begun
  absl::Duration computed_;   // in the turns of the operation
  Work counted_;              // of the environment's work
  absl::Duration turn_;       // about so long is the next one
  PieceLength piece_;
  Pace pace_;
  Pace::Time due_ = Pace::kPast;
  std::string payload_;
  v1::ResetResponse reset_response_;
  v1::StepResponse step_response_;
  v1::ObserveResponse observe_response_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SESSION_SESSION_H_
