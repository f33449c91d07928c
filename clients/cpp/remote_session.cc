#include "clients/cpp/remote_session.h"

#include <chrono>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace livnd::client::internal {
namespace {

// Type and content, equal for equal messages.
std::string Fingerprint(const google::protobuf::Message& message) {
  std::string bytes = message.GetDescriptor()->full_name() + ' ';
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

}  // namespace

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
  connection_->TryOnce(&v1::SessionService::Stub::DeleteSession, Deletion(),
                       std::chrono::seconds(2));
}

Result<void> RemoteSession::MayBeSent(const google::protobuf::Message& request, Kind kind) const {
  if (last_unanswered_.empty() || kind == Kind::kBeginning ||
      last_unanswered_ == Fingerprint(request)) {
    return {};
  }
  return Error{grpc::StatusCode::FAILED_PRECONDITION,
               "operation " + std::to_string(next_op_index_) +
                   " got no answer and may have been done: repeat it with the same arguments, or "
                   "reset all copies",
               "UNKNOWN_OUTCOME",
               {}};
}

void RemoteSession::Remember(const google::protobuf::Message& request) {
  std::string fingerprint = Fingerprint(request);
  others_unanswered_ |= !last_unanswered_.empty() && last_unanswered_ != fingerprint;
  last_unanswered_ = std::move(fingerprint);
}

bool RemoteSession::AnotherWasDone(const Error& error,
                                   const google::protobuf::Message& request) const {
  return error.reason == "PAYLOAD_MISMATCH" && !last_unanswered_.empty() &&
         (others_unanswered_ || last_unanswered_ != Fingerprint(request));
}

void RemoteSession::Advance() {
  ++next_op_index_;
  last_unanswered_.clear();
  others_unanswered_ = false;
}

Result<void> RemoteSession::Close() {
  if (closed_) return {};
  v1::DeleteSessionResponse response;
  Result<void> called =
      connection_->Call(&v1::SessionService::Stub::DeleteSession, Deletion(), &response);
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
