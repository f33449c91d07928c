#include "server/wire/errors.h"

#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace livnd::server {
namespace {

constexpr absl::string_view kErrorInfoUrl = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr absl::string_view kRetryInfoUrl = "type.googleapis.com/google.rpc.RetryInfo";
// Requests and answers take about so long to give their memory back.
constexpr absl::Duration kMemoryRetry = absl::Milliseconds(100);

// A client takes 8 KiB of trailers unless it says otherwise. The message travels twice, once
// percent-encoded and once, like the metadata, in base64.
constexpr size_t kMaxMessageBytes = 900;
constexpr size_t kMaxValueBytes = 400;

std::optional<google::rpc::ErrorInfo> InfoOf(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kErrorInfoUrl);
  google::rpc::ErrorInfo info;
  if (!payload.has_value() || !info.ParseFromString(std::string(*payload))) return std::nullopt;
  return info;
}

// Every error that a client can meet has an ErrorInfo: a field error is the client's, or that of a file
// of the server's; what has neither is a defect.
absl::Status Informed(const absl::Status& status) {
  if (InfoOf(status).has_value()) return status;
  const std::optional<FieldError> error = FieldErrorOf(status);
  if (!error.has_value()) return MakeError(status.code(), reason::kInternal, status.message());
  if (error->file.empty()) return InvalidField(error->field, error->value, error->accepted);
  return MakeError(absl::StatusCode::kFailedPrecondition, reason::kBadSystem, status.message(),
                   {{"file", error->file},
                    {"field", error->field},
                    {"value", error->value},
                    {"accepted", error->accepted}});
}

}  // namespace

std::string Presentable(absl::string_view text, size_t max_bytes) {
  std::string out;
  for (const char c : text) {
    if (absl::ascii_isprint(static_cast<unsigned char>(c))) {
      out.push_back(c);
    } else {
      absl::StrAppend(&out, "\\x", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
    if (out.size() > max_bytes) {
      out.resize(max_bytes - 3);
      return out + "...";
    }
  }
  return out;
}

absl::Status MakeError(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                       const ErrorMetadata& metadata) {
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(std::string(kErrorDomain));
  for (const auto& [key, value] : metadata) {
    (*info.mutable_metadata())[std::string(key)] = Presentable(value, kMaxValueBytes);
  }
  absl::Status status(code, Presentable(message, kMaxMessageBytes));
  status.SetPayload(kErrorInfoUrl, absl::Cord(info.SerializeAsString()));
  return status;
}

absl::Status InvalidField(absl::string_view field, absl::string_view value,
                          absl::string_view accepted) {
  return MakeError(
      absl::StatusCode::kInvalidArgument, reason::kInvalidField,
      absl::StrCat(field, " is ", value.substr(0, kMaxValueBytes), "; accepted: ", accepted),
      {{"field", std::string(field)},
       {"value", std::string(value)},
       {"accepted", std::string(accepted)}});
}

absl::Status NotFound(absl::string_view reason, absl::string_view field, absl::string_view value,
                      absl::string_view accepted, absl::string_view why) {
  return MakeError(absl::StatusCode::kNotFound, reason,
                   absl::StrCat("there is no ", field, " '", value.substr(0, kMaxValueBytes), "'",
                                why.empty() ? "; accepted: " : ": ", why,
                                why.empty() ? "" : "; there are: ", accepted),
                   {{"field", std::string(field)},
                    {"value", std::string(value)},
                    {"accepted", std::string(accepted)}});
}

absl::Status UnknownSession(absl::string_view name) {
  return NotFound(reason::kUnknownSession, "session", name,
                  "the name from CreateSession, until DeleteSession or the session retention");
}

absl::Status LostSession(absl::string_view name, absl::string_view why) {
  return MakeError(absl::StatusCode::kNotFound, reason::kUnknownSession,
                   absl::StrCat("the session's journal is kept but cannot be gone on with: ", why),
                   {{"field", "session"}, {"value", std::string(name)}});
}

absl::Status StateNotWritten(const absl::Status& why, bool done) {
  if (!done && ReasonOf(why) == reason::kOutOfMemory) return why;
  if (done) {
    return MakeError(absl::StatusCode::kUnavailable, reason::kStateNotWritten,
                     absl::StrCat("the operation was done, and cannot be answered before that is "
                                  "written down: ",
                                  why.message()));
  }
  return MakeError(
      absl::StatusCode::kResourceExhausted, reason::kStateNotWritten,
      absl::StrCat("nothing was done, because it could not be written down: ", why.message()));
}

absl::Status Superseded(int64_t generation, int64_t expected) {
  return MakeError(absl::StatusCode::kAborted, reason::kSuperseded,
                   "the session has another holder, who has attached to it since",
                   {{"field", "generation"},
                    {"value", absl::StrCat(generation)},
                    {"accepted", absl::StrCat(expected)},
                    {"expected", absl::StrCat(expected)}});
}

absl::Status AnswerTooLarge(int64_t bytes, int64_t most, absl::string_view instead) {
  return MakeError(absl::StatusCode::kResourceExhausted, reason::kAnswerTooLarge,
                   absl::StrCat("the answer has ", bytes, " bytes; a message has at most ", most),
                   {{"value", absl::StrCat(bytes, " bytes")},
                    {"accepted", absl::StrCat("at most ", most, " bytes: ", instead)}});
}

absl::Status ShuttingDown() {
  return MakeError(absl::StatusCode::kUnavailable, reason::kShuttingDown,
                   "the server is shutting down and takes no new work");
}

absl::Status OutOfMemory(absl::string_view what, int64_t bytes, int64_t left, bool may_retry) {
  absl::Status status = MakeError(
      absl::StatusCode::kResourceExhausted, reason::kOutOfMemory,
      absl::StrCat(what, " would take ", bytes, " bytes of memory, and the server has ", left,
                   " left", may_retry ? "; calls of others are about to give some back" : ""),
      {{"value", absl::StrCat(bytes, " bytes")}, {"accepted", absl::StrCat(left, " bytes")}});
  return may_retry ? WithRetryAfter(std::move(status), kMemoryRetry) : status;
}

absl::Status QuotaExceeded(absl::string_view field, absl::string_view value,
                           absl::string_view accepted) {
  return MakeError(
      absl::StatusCode::kResourceExhausted, reason::kQuotaExceeded,
      absl::StrCat("the tenant would have ", field, " of ", value, "; its quota: ", accepted),
      {{"field", std::string(field)},
       {"value", std::string(value)},
       {"accepted", std::string(accepted)}});
}

absl::Status UnknownRecording(absl::string_view name) {
  return NotFound(reason::kUnknownRecording, "recording", name, "a name that ListRecordings tells");
}

absl::Status RecordingUnderWay(absl::string_view name) {
  return MakeError(absl::StatusCode::kFailedPrecondition, reason::kRecordingUnderWay,
                   absl::StrCat("recording ", name, " still grows"),
                   {{"field", "recording"},
                    {"value", std::string(name)},
                    {"accepted", "StopRecording, or DeleteSession, first"}});
}

absl::Status AlreadyRecording(absl::string_view recording, absl::string_view why) {
  return MakeError(
      absl::StatusCode::kFailedPrecondition, reason::kAlreadyRecording,
      absl::StrCat("the session is being recorded, as ", recording, why.empty() ? "" : ": ", why),
      {{"recording", std::string(recording)}, {"accepted", "StopRecording first"}});
}

absl::Status WithRetryAfter(absl::Status status, absl::Duration delay) {
  google::rpc::RetryInfo info;
  const int64_t ns = absl::ToInt64Nanoseconds(delay);
  info.mutable_retry_delay()->set_seconds(ns / 1'000'000'000);
  info.mutable_retry_delay()->set_nanos(static_cast<int>(ns % 1'000'000'000));
  status.SetPayload(kRetryInfoUrl, absl::Cord(info.SerializeAsString()));
  return status;
}

std::optional<absl::Duration> RetryAfter(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kRetryInfoUrl);
  google::rpc::RetryInfo info;
  if (!payload.has_value() || !info.ParseFromString(std::string(*payload))) return std::nullopt;
  return absl::Seconds(info.retry_delay().seconds()) +
         absl::Nanoseconds(info.retry_delay().nanos());
}

std::string ReasonOf(const absl::Status& status) {
  const std::optional<google::rpc::ErrorInfo> info = InfoOf(status);
  return info.has_value() ? info->reason() : "";
}

std::string ReasonTold(const absl::Status& status) {
  return status.ok() ? "" : ReasonOf(Informed(status));
}

std::string MetadataOf(const absl::Status& status, absl::string_view key) {
  const std::optional<google::rpc::ErrorInfo> info = InfoOf(status);
  if (!info.has_value()) return "";
  const auto found = info->metadata().find(std::string(key));
  return found == info->metadata().end() ? "" : found->second;
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const absl::Status informed = Informed(status);
  // The numbers of absl's and gRPC's codes are the same, canonical ones.
  google::rpc::Status details;
  details.set_code(static_cast<int>(informed.code()));
  details.set_message(std::string(informed.message()));
  details.add_details()->PackFrom(*InfoOf(informed));
  if (const absl::optional<absl::Cord> retry = informed.GetPayload(kRetryInfoUrl)) {
    google::protobuf::Any* detail = details.add_details();
    detail->set_type_url(std::string(kRetryInfoUrl));
    detail->set_value(std::string(*retry));
  }
  return grpc::Status(static_cast<grpc::StatusCode>(informed.code()),
                      std::string(informed.message()), details.SerializeAsString());
}

}  // namespace livnd::server
