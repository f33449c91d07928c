#include "server/machine/log.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace livnd::server {
namespace {

std::atomic<LogFormat> log_format{LogFormat::kText};
std::atomic<Severity> least_severity{Severity::kInfo};
std::atomic<bool> tells_priority{false};

struct Level {
  absl::string_view name;
  absl::string_view padded;
  absl::string_view priority;  // syslog's
};

const Level& LevelOf(Severity severity) {
  static constexpr Level kLevels[] = {{"debug", "debug", "<7>"},
                                      {"info", "info ", "<6>"},
                                      {"warning", "warn ", "<4>"},
                                      {"error", "error", "<3>"}};
  return kLevels[static_cast<size_t>(severity)];
}

// systemd says in JOURNAL_STREAM which stream it gave to the process; it may have been led elsewhere.
bool LeadsToJournal(int fd) {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat about;
  return stream != nullptr && fstat(fd, &about) == 0 &&
         absl::StrCat(about.st_dev, ":", about.st_ino) == stream;
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

// As a string of JSON. The text has been through OneLine.
std::string Quoted(absl::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string TextLine(absl::string_view time, Severity severity, absl::string_view text,
                     const LogFields& fields) {
  std::string line = absl::StrCat(time, " ", LevelOf(severity).padded, " ", OneLine(text));
  for (const LogField& field : fields) {
    const std::string value = OneLine(field.value());
    const bool plain = !value.empty() && value.find_first_of(" \"=\\") == std::string::npos;
    absl::StrAppend(&line, " ", field.name(), "=", plain ? value : Quoted(value));
  }
  return line;
}

std::string JsonLine(absl::string_view time, Severity severity, absl::string_view text,
                     const LogFields& fields) {
  std::string line = absl::StrCat("{\"time\":\"", time, "\",\"level\":\"", LevelOf(severity).name,
                                  "\",\"message\":", Quoted(OneLine(text)));
  for (const LogField& field : fields) {
    absl::StrAppend(
        &line, ",\"", field.name(),
        "\":", field.is_number() ? std::string(field.value()) : Quoted(OneLine(field.value())));
  }
  return line + "}";
}

}  // namespace

LogField::LogField(absl::string_view name, absl::Duration value)
    : name_(name),
      value_(value < absl::InfiniteDuration()
                 ? absl::StrFormat("%.3f", absl::ToDoubleMilliseconds(value))
                 : "never"),
      is_number_(value < absl::InfiniteDuration()) {}

void ConfigureLog(LogFormat format, Severity least) {
  log_format = format;
  least_severity = least;
  tells_priority = LeadsToJournal(STDERR_FILENO);
}

bool IsLogged(Severity severity) { return severity >= least_severity.load(); }

void LogLine(Severity severity, absl::string_view text, const LogFields& fields) {
  if (!IsLogged(severity)) return;
  const std::string time =
      absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone());
  const std::string line =
      absl::StrCat(tells_priority ? LevelOf(severity).priority : "",
                   log_format == LogFormat::kJson ? JsonLine(time, severity, text, fields)
                                                  : TextLine(time, severity, text, fields),
                   "\n");
  size_t written = 0;
  while (written < line.size()) {
    const ssize_t n = write(STDERR_FILENO, line.data() + written, line.size() - written);
    if (n <= 0) return;  // nobody reads the log: that must not stop the daemon
    written += static_cast<size_t>(n);
  }
}

}  // namespace livnd::server
