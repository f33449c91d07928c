// What sessions of every kind share: a name on the server, numbered operations, an end. Not for
// users of the library.
#ifndef LIVND_CLIENTS_CPP_REMOTE_SESSION_H_
#define LIVND_CLIENTS_CPP_REMOTE_SESSION_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "clients/cpp/connection.h"
#include "clients/cpp/result.h"
#include "google/protobuf/message.h"
#include "livnd/v1/session_service.pb.h"

namespace livnd::client::internal {

// The error for an answer that lacks what the protocol says is there.
Error NotUnderstood();

// 128 random bits as text: a new one for every session that is wanted.
std::string NewRequestId();

// A session that this client made. Numbers its operations, so that a repeat after a failure of the
// transport gives the answer of the first try and nothing is done twice.
//
// Where the outcome of an operation stays unknown, the session remembers it. The same operation
// again gets its answer. A beginning, which leaves nothing of what was before (a Reset of all
// copies), goes on from any outcome. Everything else is refused with UNKNOWN_OUTCOME.
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
      request->set_op_index(next_op_index_);
      if (Result<void> allowed = MayBeSent(*request, kind); !allowed.ok()) return allowed;
      Result<void> called = connection_->Call(method, *request, response, timeout);
      if (called.ok()) {
        Advance();
        return called;
      }
      if (called.error().in_doubt) Remember(*request);
      if (!AnotherWasDone(called.error(), *request)) return called;
      Advance();  // this beginning is the operation after it
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
    request->set_session(created_.session());
    Result<void> called = connection_->Call(method, *request, response);
    // An operation whose outcome was unknown has been done.
    if (called.ok() && response->next_op_index() > next_op_index_) Advance();
    return called;
  }

  // Session's calls of these names; Fork answers what the new sessions' creation would have.
  Result<std::string> Snapshot(const std::vector<int>& copies);
  Result<void> Restore(std::string snapshot, const std::vector<int>& copy_of);
  Result<std::vector<v1::CreateSessionResponse>> Fork(int num_sessions,
                                                      const std::vector<int>& copy_of);
  const std::shared_ptr<Connection>& connection() const { return connection_; }

  std::chrono::milliseconds run_timeout() const { return connection_->options().run_timeout; }

  Result<void> Close();
  std::string Detach();

 private:
  v1::DeleteSessionRequest Deletion() const;
  static Error UnknownOutcome(int64_t op_index);
  // UNKNOWN_OUTCOME where an operation before this one stands in its way.
  Result<void> MayBeSent(const google::protobuf::Message& request, Kind kind) const;
  void Remember(const google::protobuf::Message& request);
  // True if a server that answers so has done one of the unanswered operations, and not this one.
  bool AnotherWasDone(const Error& error, const google::protobuf::Message& request) const;
  // On to the next index.
  void Advance();

  const std::shared_ptr<Connection> connection_;
  const v1::CreateSessionResponse created_;
  int64_t next_op_index_;
  // Of the operations that were sent with next_op_index_ and got no answer: the last one, and
  // whether there are others. Any of them may have been done, but only one.
  std::string last_unanswered_;
  bool others_unanswered_ = false;
  bool closed_ = false;
};

}  // namespace livnd::client::internal

#endif  // LIVND_CLIENTS_CPP_REMOTE_SESSION_H_
