// Errors as clients see them. Everything in the server reports absl::Status; the functions below
// attach the google.rpc.ErrorInfo that programs act on, and ToGrpc is the one place where an
// absl::Status becomes a grpc::Status. Which call gives which reason:
// proto/livnd/v1/error_reason.proto.
#ifndef LIVND_SERVER_WIRE_ERRORS_H_
#define LIVND_SERVER_WIRE_ERRORS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "grpcpp/support/status.h"

namespace livnd::server {

// ErrorInfo.domain.
inline constexpr absl::string_view kErrorDomain = "livnd";

// ErrorInfo.reason: the names of v1::ErrorReason without "ERROR_REASON_".
namespace reason {
inline constexpr absl::string_view kInvalidField = "INVALID_FIELD";
inline constexpr absl::string_view kMalformedMessage = "MALFORMED_MESSAGE";
inline constexpr absl::string_view kPayloadMismatch = "PAYLOAD_MISMATCH";
inline constexpr absl::string_view kUnknownSystem = "UNKNOWN_SYSTEM";
inline constexpr absl::string_view kUnknownEnvironment = "UNKNOWN_ENVIRONMENT";
inline constexpr absl::string_view kUnknownSession = "UNKNOWN_SESSION";
inline constexpr absl::string_view kTooManySessions = "TOO_MANY_SESSIONS";
inline constexpr absl::string_view kTooManyEnvs = "TOO_MANY_ENVS";
inline constexpr absl::string_view kTooManyCalls = "TOO_MANY_CALLS";
inline constexpr absl::string_view kWrongOpIndex = "WRONG_OP_INDEX";
inline constexpr absl::string_view kNotReset = "NOT_RESET";
inline constexpr absl::string_view kEpisodeEnded = "EPISODE_ENDED";
inline constexpr absl::string_view kNotACulture = "NOT_A_CULTURE";
inline constexpr absl::string_view kNotATask = "NOT_A_TASK";
inline constexpr absl::string_view kUnknownMethod = "UNKNOWN_METHOD";
inline constexpr absl::string_view kAnswerTooLarge = "ANSWER_TOO_LARGE";
inline constexpr absl::string_view kRunStarted = "RUN_STARTED";
inline constexpr absl::string_view kNumericalFailure = "NUMERICAL_FAILURE";
inline constexpr absl::string_view kTooManySpikes = "TOO_MANY_SPIKES";
inline constexpr absl::string_view kBadSystem = "BAD_SYSTEM";
inline constexpr absl::string_view kSnapshotMismatch = "SNAPSHOT_MISMATCH";
inline constexpr absl::string_view kStateNotWritten = "STATE_NOT_WRITTEN";
inline constexpr absl::string_view kSuperseded = "SUPERSEDED";
inline constexpr absl::string_view kNotAdmin = "NOT_ADMIN";
inline constexpr absl::string_view kOutOfMemory = "OUT_OF_MEMORY";
inline constexpr absl::string_view kQuotaExceeded = "QUOTA_EXCEEDED";
inline constexpr absl::string_view kTooBusy = "TOO_BUSY";
inline constexpr absl::string_view kUnknownRecording = "UNKNOWN_RECORDING";
inline constexpr absl::string_view kAlreadyRecording = "ALREADY_RECORDING";
inline constexpr absl::string_view kNotRecording = "NOT_RECORDING";
inline constexpr absl::string_view kRecordingUnderWay = "RECORDING_UNDER_WAY";
inline constexpr absl::string_view kBadRecording = "BAD_RECORDING";
inline constexpr absl::string_view kUnauthenticated = "UNAUTHENTICATED";
inline constexpr absl::string_view kShuttingDown = "SHUTTING_DOWN";
inline constexpr absl::string_view kInternal = "INTERNAL";
}  // namespace reason

// Printable ASCII of at most max_bytes, everything else escaped; cut text ends in "...".
std::string Presentable(absl::string_view text, size_t max_bytes);

using ErrorMetadata = std::vector<std::pair<absl::string_view, std::string>>;

// A status with an ErrorInfo. Long or unprintable text is cut and escaped: what a client sent must
// fit back into the trailers of the answer.
absl::Status MakeError(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                       const ErrorMetadata& metadata = {});

// INVALID_ARGUMENT / INVALID_FIELD with `field`, `value` and `accepted` in the metadata and the
// message.
absl::Status InvalidField(absl::string_view field, absl::string_view value,
                          absl::string_view accepted);

// NOT_FOUND with the name that was not found and those that there are; `why` there is none by the
// name, where that is known.
absl::Status NotFound(absl::string_view reason, absl::string_view field, absl::string_view value,
                      absl::string_view accepted, absl::string_view why = "");

// NOT_FOUND / UNKNOWN_SESSION.
absl::Status UnknownSession(absl::string_view name);
// The same, of a session whose journal there is and which cannot be brought back: `why`.
absl::Status LostSession(absl::string_view name, absl::string_view why);
// STATE_NOT_WRITTEN: RESOURCE_EXHAUSTED, or UNAVAILABLE where the operation was `done`; OUT_OF_MEMORY
// where that is why.
absl::Status StateNotWritten(const absl::Status& why, bool done);
// ABORTED / SUPERSEDED.
absl::Status Superseded(int64_t generation, int64_t expected);
// RESOURCE_EXHAUSTED / ANSWER_TOO_LARGE; `instead` is what to ask for.
absl::Status AnswerTooLarge(int64_t bytes, int64_t most, absl::string_view instead);

// NOT_FOUND / UNKNOWN_RECORDING.
absl::Status UnknownRecording(absl::string_view name);
// FAILED_PRECONDITION / RECORDING_UNDER_WAY.
absl::Status RecordingUnderWay(absl::string_view name);
// FAILED_PRECONDITION / ALREADY_RECORDING: a session is recorded by that name, and so cannot be changed.
absl::Status AlreadyRecording(absl::string_view recording, absl::string_view why);

// UNAVAILABLE / SHUTTING_DOWN.
absl::Status ShuttingDown();

// RESOURCE_EXHAUSTED / OUT_OF_MEMORY: `what` needs so many bytes, and so many are left. Who `may_retry`
// will find more soon.
absl::Status OutOfMemory(absl::string_view what, int64_t bytes, int64_t left, bool may_retry);
// RESOURCE_EXHAUSTED / QUOTA_EXCEEDED: the tenant has, or would have, `value` of its quota `field`.
absl::Status QuotaExceeded(absl::string_view field, absl::string_view value,
                           absl::string_view accepted);

// The same error with a google.rpc.RetryInfo: the same call may succeed after the delay.
absl::Status WithRetryAfter(absl::Status status, absl::Duration delay);
// What it says; nothing where it says nothing.
std::optional<absl::Duration> RetryAfter(const absl::Status& status);

// The ErrorInfo's reason, or "" if the status has none.
std::string ReasonOf(const absl::Status& status);

// The reason that ToGrpc tells, which every error has.
std::string ReasonTold(const absl::Status& status);

// The ErrorInfo's metadata under a key, or "".
std::string MetadataOf(const absl::Status& status, absl::string_view key);

// With google.rpc.Status in the details: the ErrorInfo, and a RetryInfo where the status has one. A field error (base/field_error.h) becomes INVALID_ARGUMENT /
// INVALID_FIELD or, of a file, FAILED_PRECONDITION / BAD_SYSTEM, with its parts in the metadata. Any
// other error without ErrorInfo, which only a defect of the server makes, is given the reason INTERNAL
// and keeps its code and message.
grpc::Status ToGrpc(const absl::Status& status);

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_ERRORS_H_
