#include "server/machine/log.h"

#include <unistd.h>

#include <string>

#include "absl/strings/ascii.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace livnd::server {
namespace {

absl::string_view Name(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info ";
    case Severity::kWarning:
      return "warn ";
    case Severity::kError:
      return "error";
  }
  return "";
}

// Control characters as \xNN; a line stays one line.
std::string OneLine(absl::string_view text) {
  std::string line;
  for (const char c : text) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
      absl::StrAppend(&line, "\\x", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    } else {
      line.push_back(c);
    }
  }
  return line;
}

}  // namespace

void LogLine(Severity severity, absl::string_view text) {
  const std::string line =
      absl::StrCat(absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone()), " ",
                   Name(severity), " ", OneLine(text), "\n");
  size_t written = 0;
  while (written < line.size()) {
    const ssize_t n = write(STDERR_FILENO, line.data() + written, line.size() - written);
    if (n <= 0) return;  // nobody reads the log: that must not stop the daemon
    written += static_cast<size_t>(n);
  }
}

}  // namespace livnd::server
