// What the log says of the calls of sessions.
#ifndef LIVND_SERVER_SERVICE_CALL_LOG_H_
#define LIVND_SERVER_SERVICE_CALL_LOG_H_

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/machine/log.h"
#include "server/session/session.h"
#include "server/wire/errors.h"

namespace livnd::server {

// How a call ended, and how much that matters: a defect of the server is an error, an operation that was
// given up because the server ends a warning, anything else for who looks for trouble.
struct CallEnd {
  Severity severity;
  absl::string_view word;
};
inline CallEnd EndOf(const absl::Status& status, bool begun) {
  if (status.ok()) return {Severity::kDebug, "answered"};
  if (!begun) return {Severity::kDebug, "sent away"};
  const std::string reason = ReasonTold(status);
  if (reason == reason::kInternal) return {Severity::kError, "failed"};
  if (reason == reason::kShuttingDown) return {Severity::kWarning, "given up"};
  return {Severity::kDebug, "refused"};
}

// The number that an operation carries; 0 for a request that has none.
template <typename Request, typename = void>
struct OpIndex {
  static int64_t Of(const Request&) { return 0; }
};
template <typename Request>
struct OpIndex<Request, std::void_t<decltype(std::declval<const Request&>().op_index())>> {
  static int64_t Of(const Request& request) { return request.op_index(); }
};

// A call of a session that has been answered, or sent away without having begun. It waited so long in
// all, and its turns took so long.
template <typename Request>
void LogCall(const Session& session, const Request& request, const absl::Status& status, bool begun,
             absl::Duration waited, absl::Duration worked) {
  const CallEnd end = EndOf(status, begun);
  if (!IsLogged(end.severity)) return;
  absl::string_view operation = Request::descriptor()->name();
  operation.remove_suffix(absl::string_view("Request").size());
  LogFields fields = {
      {"session", session.tag()}, {"environment_id", session.spec().id}, {"operation", operation}};
  if (const int64_t op_index = OpIndex<Request>::Of(request); op_index != 0) {
    fields.push_back({"op_index", op_index});
  }
  fields.push_back({"queued_ms", waited});
  fields.push_back({"duration_ms", worked});
  if (!status.ok()) fields.push_back({"reason", ReasonTold(status)});
  // Other errors may quote what the caller sent, and he has been told.
  if (end.severity == Severity::kError) fields.push_back({"error", status.message()});
  LogLine(end.severity, end.word, fields);
}

}  // namespace livnd::server

#endif  // LIVND_SERVER_SERVICE_CALL_LOG_H_
