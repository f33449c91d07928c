#include "server/machine/log.h"

#include <unistd.h>

#include <algorithm>
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

// The length of the UTF-8 sequence of a printable character at the start of `text`, or 0. The
// control characters of Latin-1, which some terminals obey, are C2 80 .. C2 9F.
size_t PrintableBytes(absl::string_view text) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto follows = [&](size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const unsigned first = byte(0);
  if (first < 0x80) return absl::ascii_isprint(static_cast<unsigned char>(first)) ? 1 : 0;
  if (first >= 0xC2 && first < 0xE0) {
    return follows(1) && !(first == 0xC2 && byte(1) < 0xA0) ? 2 : 0;
  }
  if (first >= 0xE0 && first < 0xF0) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) >= 0xA0;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first < 0xF5) {
    const bool overlong = first == 0xF0 && byte(1) < 0x90;
    const bool beyond = first == 0xF4 && byte(1) >= 0x90;
    return follows(1) && follows(2) && follows(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

// Everything else as \xNN: a line stays one line, and commands no terminal.
std::string OneLine(absl::string_view text) {
  std::string line;
  while (!text.empty()) {
    const size_t printable = PrintableBytes(text);
    if (printable > 0) {
      line.append(text.data(), printable);
    } else {
      absl::StrAppend(&line, "\\x",
                      absl::Hex(static_cast<unsigned char>(text[0]), absl::kZeroPad2));
    }
    text.remove_prefix(std::max<size_t>(1, printable));
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
