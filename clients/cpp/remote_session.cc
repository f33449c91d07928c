#include "clients/cpp/remote_session.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>

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

std::string NewRequestId() {
  std::random_device device;
  std::string id;
  for (int i = 0; i < 4; ++i) {
    char digits[9];
    std::snprintf(digits, sizeof(digits), "%08x", static_cast<unsigned>(device()));
    id += digits;
  }
  return id;
}

Error NotUnderstood() {
  return {grpc::StatusCode::INTERNAL,
          "the answer does not hold what this client expects; is the server newer?",
          "BAD_ANSWER",
          {}};
}

int64_t ExpectedOpIndex(const Error& error) {
  const auto expected = error.metadata.find("expected");
  if (error.reason != "WRONG_OP_INDEX" || expected == error.metadata.end()) return 0;
  return std::strtoll(expected->second.c_str(), nullptr, 10);
}

Error AnswerLost(const Error& error) {
  return {
      error.code,
      "the operation was done, but its answer is lost: others were done after it. Observe tells "
      "where the session stands",
      "ANSWER_LOST", error.metadata};
}

RemoteSession::RemoteSession(std::shared_ptr<Connection> connection,
                             v1::CreateSessionResponse created)
    : connection_(std::move(connection)),
      created_(std::move(created)),
      next_op_index_(created_.next_op_index()) {
  connection_->Hold(created_.session(), created_.generation());
}

RemoteSession::~RemoteSession() {
  if (closed_) return;
  Release();
  connection_->TryOnce(&v1::SessionService::Stub::DeleteSession, Deletion(),
                       std::chrono::seconds(2));
}

Result<void> RemoteSession::MayBeSent(const google::protobuf::Message& request, Kind kind) const {
  if (last_unanswered_.empty() || kind == Kind::kBeginning ||
      last_unanswered_ == Fingerprint(request)) {
    return {};
  }
  return UnknownOutcome(next_op_index_);
}

Error RemoteSession::UnknownOutcome(int64_t op_index) {
  return {grpc::StatusCode::FAILED_PRECONDITION,
          "operation " + std::to_string(op_index) +
              " got no answer and may have been done: repeat it with the same arguments, or "
              "reset all copies",
          "UNKNOWN_OUTCOME",
          {}};
}

Result<std::string> RemoteSession::Snapshot(const std::vector<int>& copies) {
  v1::SnapshotRequest request;
  request.mutable_copies()->Add(copies.begin(), copies.end());
  v1::SnapshotResponse response;
  const Result<void> called = Look(&v1::SessionService::Stub::Snapshot, &request, &response);
  if (!called.ok()) return called.error();
  return std::move(*response.mutable_snapshot());
}

Result<void> RemoteSession::Restore(std::string snapshot, const std::vector<int>& copy_of) {
  v1::RestoreRequest request;
  request.set_snapshot(std::move(snapshot));
  request.mutable_copy_of()->Add(copy_of.begin(), copy_of.end());
  const bool all = std::find(copy_of.begin(), copy_of.end(), -1) == copy_of.end();
  v1::RestoreResponse response;
  return Operate(&v1::SessionService::Stub::Restore, &request, &response,
                 all ? Kind::kBeginning : Kind::kOther);
}

Result<std::vector<v1::CreateSessionResponse>> RemoteSession::Fork(
    int num_sessions, const std::vector<int>& copy_of) {
  if (Result<void> free = IsFree(); !free.ok()) return free.error();
  // Of what is not known to have been done nothing can begin.
  if (!last_unanswered_.empty()) return UnknownOutcome(next_op_index_);
  v1::ForkRequest request;
  request.set_request_id(NewRequestId());
  request.set_session(created_.session());
  request.set_num_sessions(num_sessions);
  request.mutable_copy_of()->Add(copy_of.begin(), copy_of.end());
  v1::ForkResponse response;
  const Result<void> called = connection_->Call(&v1::SessionService::Stub::Fork, request, &response,
                                                connection_->options().create_timeout);
  if (!called.ok()) return called.error();
  return std::vector<v1::CreateSessionResponse>(response.sessions().begin(),
                                                response.sessions().end());
}

Result<std::string> RemoteSession::StartRecording(const RecordingOptions& options) {
  v1::StartRecordingRequest request;
  request.set_label(options.label);
  for (const v1::RecordedKind kind : options.kinds) request.add_kinds(kind);
  for (const v1::SeriesSelection& series : options.series) *request.add_series() = series;
  v1::StartRecordingResponse response;
  const Result<void> called =
      Operate(&v1::RecordingService::Stub::StartRecording, &request, &response);
  if (!called.ok()) return called.error();
  return response.recording();
}

Result<std::string> RemoteSession::StopRecording() {
  v1::StopRecordingRequest request;
  v1::StopRecordingResponse response;
  const Result<void> called =
      Operate(&v1::RecordingService::Stub::StopRecording, &request, &response);
  if (!called.ok()) return called.error();
  return response.recording();
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

void RemoteSession::AdvanceTo(int64_t next_op_index) {
  last_unanswered_.clear();
  others_unanswered_ = false;
  for (; next_op_index_ < next_op_index && !ahead_unanswered_.empty(); ++next_op_index_) {
    last_unanswered_ = std::move(ahead_unanswered_.front());
    ahead_unanswered_.pop_front();
  }
  if (next_op_index_ < next_op_index) last_unanswered_.clear();  // past all that were sent
  next_op_index_ = next_op_index;
}

void RemoteSession::Did(const google::protobuf::Message& request) {
  if (!ahead_unanswered_.empty() && last_unanswered_ != Fingerprint(request)) {
    ahead_unanswered_.clear();
  }
  Advance();
}

void RemoteSession::RememberStep(const google::protobuf::Message& request, int64_t op_index) {
  const int64_t ahead = op_index - next_op_index_;
  if (ahead == 0) return Remember(request);
  if (ahead < 0) return;
  ahead_unanswered_.resize(static_cast<size_t>(ahead));
  ahead_unanswered_.back() = Fingerprint(request);
}

bool RemoteSession::WereDone(const Error& error) {
  const int64_t expected = ExpectedOpIndex(error);
  if (last_unanswered_.empty() || expected <= next_op_index_ ||
      expected > next_op_index_ + static_cast<int64_t>(ahead_unanswered_.size()) + 1) {
    return false;
  }
  ahead_unanswered_.clear();
  AdvanceTo(expected);
  return true;
}

Result<void> RemoteSession::IsFree(const void* stream) const {
  if (occupied_by_ == nullptr || occupied_by_ == stream) return {};
  return Error{grpc::StatusCode::FAILED_PRECONDITION,
               "steps of this session are under way over a StepStream: receive their answers first",
               "STEPS_UNDER_WAY",
               {}};
}

void RemoteSession::Notice(const Error& error) {
  if (error.reason == "SUPERSEDED") Release();
}

Result<v1::GetSessionResponse> RemoteSession::Describe() {
  if (Result<void> free = IsFree(); !free.ok()) return free.error();
  v1::GetSessionRequest request;
  request.set_session(created_.session());
  v1::GetSessionResponse response;
  const Result<void> called =
      connection_->Call(&v1::SessionService::Stub::GetSession, request, &response);
  if (!called.ok()) return called.error();
  return response;
}

Result<void> RemoteSession::Close() {
  if (closed_) return {};
  Release();
  v1::DeleteSessionResponse response;
  Result<void> called =
      connection_->Call(&v1::SessionService::Stub::DeleteSession, Deletion(), &response);
  // Of one that another has taken over nothing is left to end here.
  if (!called.ok() && called.error().reason == "SUPERSEDED") called = {};
  closed_ = called.ok();
  return called;
}

std::string RemoteSession::Detach() {
  Release();
  closed_ = true;
  return created_.session();
}

v1::DeleteSessionRequest RemoteSession::Deletion() const {
  v1::DeleteSessionRequest request;
  request.set_session(created_.session());
  request.set_allow_missing(true);  // a repeat may find it gone
  request.set_generation(created_.generation());
  return request;
}

}  // namespace livnd::client::internal
