// What sessions of every kind share: a name on the server, numbered operations, an end. Not for
// users of the library.
#ifndef LIVND_CLIENTS_CPP_REMOTE_SESSION_H_
#define LIVND_CLIENTS_CPP_REMOTE_SESSION_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "clients/cpp/connection.h"
#include "clients/cpp/recording.h"
#include "clients/cpp/result.h"
#include "google/protobuf/message.h"
#include "livnd/v1/session_service.pb.h"

namespace livnd::client::internal {

// The error for an answer that lacks what the protocol says is there.
Error NotUnderstood();

// The op_index that the server expects, by a WRONG_OP_INDEX; 0 of every other error.
int64_t ExpectedOpIndex(const Error& error);

// Of an operation that was done, for a WRONG_OP_INDEX that says so.
Error AnswerLost(const Error& error);

// 128 random bits as text: a new one for every session that is wanted.
std::string NewRequestId();

// A session that this client made. Numbers its operations, so that a repeat after a failure of the
// transport gives the answer of the first try and nothing is done twice.
//
// Where the outcome of an operation stays unknown, the session remembers it. The same operation
// again gets its answer. A beginning, which leaves nothing of what was before (a Reset of all
// copies), goes on from any outcome. Everything else is refused with UNKNOWN_OUTCOME.
//
// While steps of it are on their way over a StepStream, other calls are STEPS_UNDER_WAY. As long as it
// is there, its lease is renewed.
//
// Thread-compatible.
class RemoteSession {
 public:
  RemoteSession(std::shared_ptr<Connection> connection, v1::CreateSessionResponse created);
  // Deletes the session on the server if Close was not called: one attempt of at most two seconds.
  ~RemoteSession();
  RemoteSession(const RemoteSession&) = delete;
  RemoteSession& operator=(const RemoteSession&) = delete;

  const v1::CreateSessionResponse& created() const { return created_; }
  int64_t next_op_index() const { return next_op_index_; }

  enum class Kind { kOther, kBeginning };

  // One operation. Fills in the request's session and op_index.
  template <typename Stub, typename Request, typename Response>
  Result<void> Operate(Connection::Method<Stub, Request, Response> method, Request* request,
                       Response* response, Kind kind, std::chrono::milliseconds timeout) {
    request->set_session(created_.session());
    request->set_generation(created_.generation());
    while (true) {
      if (Result<void> free = IsFree(); !free.ok()) return free;
      request->set_op_index(next_op_index_);
      if (Result<void> allowed = MayBeSent(*request, kind); !allowed.ok()) return allowed;
      Result<void> called = connection_->Call(method, *request, response, timeout);
      if (called.ok()) {
        Did(*request);
        return called;
      }
      Notice(called.error());
      if (called.error().in_doubt) Remember(*request);
      if (AnotherWasDone(called.error(), *request)) {
        Advance();  // this beginning is the operation after it
      } else if (!WereDone(called.error())) {
        return called;
      } else if (kind != Kind::kBeginning) {
        return AnswerLost(called.error());
      }
    }
  }
  template <typename Stub, typename Request, typename Response>
  Result<void> Operate(Connection::Method<Stub, Request, Response> method, Request* request,
                       Response* response, Kind kind = Kind::kOther) {
    return Operate(method, request, response, kind, connection_->options().call_timeout);
  }

  // One call that changes nothing and tells the next op_index. Fills in the request's session.
  template <typename Stub, typename Request, typename Response>
  Result<void> Look(Connection::Method<Stub, Request, Response> method, Request* request,
                    Response* response) {
    if (Result<void> free = IsFree(); !free.ok()) return free;
    request->set_session(created_.session());
    Result<void> called = connection_->Call(method, *request, response);
    // Operations whose outcome was unknown have been done.
    if (called.ok() && response->next_op_index() > next_op_index_) {
      ahead_unanswered_.clear();
      AdvanceTo(response->next_op_index());
    }
    return called;
  }

  // Session's calls of these names; Fork answers what the new sessions' creation would have.
  Result<std::string> Snapshot(const std::vector<int>& copies);
  Result<void> Restore(std::string snapshot, const std::vector<int>& copy_of);
  Result<std::vector<v1::CreateSessionResponse>> Fork(int num_sessions,
                                                      const std::vector<int>& copy_of);
  Result<std::string> StartRecording(const RecordingOptions& options);
  Result<std::string> StopRecording();
  const std::shared_ptr<Connection>& connection() const { return connection_; }

  std::chrono::milliseconds run_timeout() const { return connection_->options().run_timeout; }

  Result<v1::GetSessionResponse> Describe();
  Result<void> Close();
  std::string Detach();

  // What a StepStream does for its steps. Nobody else calls the session until nothing occupies it.
  void Occupy(const void* stream) { occupied_by_ = stream; }
  // STEPS_UNDER_WAY: of another stream than this one.
  Result<void> IsFree(const void* stream = nullptr) const;
  bool is_in_doubt() const { return !last_unanswered_.empty(); }
  Error UnknownOutcome() const { return UnknownOutcome(next_op_index_); }
  // UNKNOWN_OUTCOME where an operation before this one stands in its way.
  Result<void> MayBeSent(const google::protobuf::Message& request, Kind kind) const;
  // The operations before this one were done; what was sent ahead may be.
  void AdvanceTo(int64_t next_op_index);
  // Of a step that got no answer, perhaps behind others.
  void RememberStep(const google::protobuf::Message& request, int64_t op_index);
  // Where it tells that the session is another's now: its lease is left to who that is.
  void Notice(const Error& error);

 private:
  // Its lease is not renewed any more.
  void Release() { connection_->Release(created_.session(), created_.generation()); }
  v1::DeleteSessionRequest Deletion() const;
  static Error UnknownOutcome(int64_t op_index);
  void Remember(const google::protobuf::Message& request);
  // True if a server that answers so has done one of the unanswered operations, and not this one.
  bool AnotherWasDone(const Error& error, const google::protobuf::Message& request) const;
  // True if the number that the server expects comes of operations that got no answer; on to it.
  bool WereDone(const Error& error);
  // It was done, and of what was sent with later numbers nothing, unless this is its repeat.
  void Did(const google::protobuf::Message& request);
  // On to the next index.
  void Advance() { AdvanceTo(next_op_index_ + 1); }

  const std::shared_ptr<Connection> connection_;
  const v1::CreateSessionResponse created_;
  int64_t next_op_index_;
  // Of the operations that were sent with next_op_index_ and got no answer: the last one, and
  // whether there are others. Any of them may have been done, but only one.
  std::string last_unanswered_;
  bool others_unanswered_ = false;
  // Those of the numbers after it, which a StepStream has sent ahead and which got no answer.
  std::deque<std::string> ahead_unanswered_;
  const void* occupied_by_ = nullptr;
  bool closed_ = false;
};

}  // namespace livnd::client::internal

#endif  // LIVND_CLIENTS_CPP_REMOTE_SESSION_H_
