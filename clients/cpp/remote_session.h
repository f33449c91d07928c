// What sessions of every kind share: a name on the server, numbered operations, an end. Not for
// users of the library.
#ifndef LIVND_CLIENTS_CPP_REMOTE_SESSION_H_
#define LIVND_CLIENTS_CPP_REMOTE_SESSION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "clients/cpp/connection.h"
#include "clients/cpp/result.h"
#include "livnd/v1/environment_service.pb.h"

namespace livnd::client::internal {

// The error for an answer that lacks what the protocol says is there.
Error NotUnderstood();

// A session that this client made. Numbers its operations, so that a repeat after a failure of the
// transport gives the answer of the first try and nothing is done twice.
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

  // One operation. Fills in the request's session and op_index.
  template <typename Request, typename Response>
  Result<void> Operate(Connection::Method<Request, Response> method, Request* request,
                       Response* response) {
    request->set_session(created_.session());
    request->set_op_index(next_op_index_);
    Result<void> called = connection_->Call(method, *request, response);
    if (called.ok()) ++next_op_index_;
    return called;
  }

  // One call that changes nothing and tells the next op_index. Fills in the request's session.
  template <typename Request, typename Response>
  Result<void> Look(Connection::Method<Request, Response> method, Request* request,
                    Response* response) {
    request->set_session(created_.session());
    Result<void> called = connection_->Call(method, *request, response);
    if (called.ok()) next_op_index_ = response->next_op_index();
    return called;
  }

  Result<void> Close();

 private:
  v1::DeleteSessionRequest Deletion() const;

  const std::shared_ptr<Connection> connection_;
  const v1::CreateSessionResponse created_;
  int64_t next_op_index_;
  bool closed_ = false;
};

}  // namespace livnd::client::internal

#endif  // LIVND_CLIENTS_CPP_REMOTE_SESSION_H_
