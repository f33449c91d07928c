// The daemon's log: single lines on standard error, for people or for programs.
#ifndef LIVND_SERVER_MACHINE_LOG_H_
#define LIVND_SERVER_MACHINE_LOG_H_

#include <string>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace livnd::server {

enum class Severity { kDebug, kInfo, kWarning, kError };

enum class LogFormat {
  kText,  // 2026-01-31T12:00:00.000Z info  session created session=1f6a03c8 num_envs=2
  kJson,  // {"time":"2026-01-31T12:00:00.000Z","level":"info","message":"session created",...}
};

// A named value that programs find in a line: a number, or text. Times are in milliseconds, and their
// names end so.
class LogField {
 public:
  template <typename T>
  LogField(absl::string_view name, const T& value)
      : name_(name), value_(absl::StrCat(value)), is_number_(std::is_arithmetic_v<T>) {}
  LogField(absl::string_view name, absl::Duration value);

  absl::string_view name() const { return name_; }
  absl::string_view value() const { return value_; }
  bool is_number() const { return is_number_; }

 private:
  absl::string_view name_;  // a constant: lower case, digits and '_'
  std::string value_;
  bool is_number_;
};
using LogFields = std::vector<LogField>;

// How the process writes its log from now on, leaving out what is below `least`; before, text from
// kInfo on. Where standard error leads to systemd's journal every line begins with its priority, which
// the journal takes off. Before the process has threads.
void ConfigureLog(LogFormat format, Severity least);

// False: such a line would be left out.
bool IsLogged(Severity severity);

// Writes one line in one write(2), so that lines of several threads do not mix. What is no printable
// character of UTF-8 is escaped, in the text and in the fields: line breaks, control characters, stray
// bytes. Thread-safe.
//
// A session's name lets anyone drive the session: lines say Session::tag() instead.
void LogLine(Severity severity, absl::string_view text, const LogFields& fields = {});

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
