// The daemon's log: single plain lines on standard error.
#ifndef LIVND_SERVER_MACHINE_LOG_H_
#define LIVND_SERVER_MACHINE_LOG_H_

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace livnd::server {

enum class Severity { kInfo, kWarning, kError };

// Writes "2026-01-31T12:00:00.000Z info  text" in one write(2), so that lines of several threads do
// not mix. What is no printable character of UTF-8 is escaped: line breaks, control characters,
// stray bytes. Thread-safe.
void LogLine(Severity severity, absl::string_view text);

template <typename... Args>
void LogInfo(const Args&... args) {
  LogLine(Severity::kInfo, absl::StrCat(args...));
}
template <typename... Args>
void LogWarning(const Args&... args) {
  LogLine(Severity::kWarning, absl::StrCat(args...));
}
template <typename... Args>
void LogError(const Args&... args) {
  LogLine(Severity::kError, absl::StrCat(args...));
}

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_LOG_H_
