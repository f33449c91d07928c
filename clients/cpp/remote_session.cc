#include "clients/cpp/remote_session.h"

#include <chrono>

namespace livnd::client::internal {

Error NotUnderstood() {
  return {grpc::StatusCode::INTERNAL,
          "the answer does not hold what this client expects; is the server newer?",
          "BAD_ANSWER",
          {}};
}

RemoteSession::RemoteSession(std::shared_ptr<Connection> connection,
                             v1::CreateSessionResponse created)
    : connection_(std::move(connection)),
      created_(std::move(created)),
      next_op_index_(created_.next_op_index()) {}

RemoteSession::~RemoteSession() {
  if (closed_) return;
  connection_->TryOnce(&Connection::Stub::DeleteSession, Deletion(), std::chrono::seconds(2));
}

Result<void> RemoteSession::Close() {
  if (closed_) return {};
  v1::DeleteSessionResponse response;
  Result<void> called = connection_->Call(&Connection::Stub::DeleteSession, Deletion(), &response);
  closed_ = called.ok();
  return called;
}

v1::DeleteSessionRequest RemoteSession::Deletion() const {
  v1::DeleteSessionRequest request;
  request.set_session(created_.session());
  request.set_allow_missing(true);  // a repeat may find it gone
  return request;
}

}  // namespace livnd::client::internal
