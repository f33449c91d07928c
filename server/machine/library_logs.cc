#include "server/machine/library_logs.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/stubs/logging.h"
#include "grpc/support/log.h"
#include "server/machine/log.h"

namespace livnd::server {
namespace {

// "chttp2_transport.cc:123".
std::string Place(const char* file, int line) {
  const absl::string_view path = file == nullptr ? "" : file;
  return absl::StrCat(path.substr(path.rfind('/') + 1), ":", line);
}

// Whatever a client sent, a line is no longer than this.
constexpr size_t kMaxText = 1000;

absl::string_view Cut(absl::string_view text) { return text.substr(0, kMaxText); }

void FromGrpc(gpr_log_func_args* args) {
  const Severity severity =
      args->severity == GPR_LOG_SEVERITY_ERROR ? Severity::kWarning : Severity::kInfo;
  LogLine(severity,
          absl::StrCat("gRPC: ", Cut(args->message), " (", Place(args->file, args->line), ")"));
}

void FromProtobuf(google::protobuf::LogLevel level, const char* file, int line,
                  const std::string& message) {
  const Severity severity = level == google::protobuf::LOGLEVEL_FATAL  ? Severity::kError
                            : level == google::protobuf::LOGLEVEL_INFO ? Severity::kInfo
                                                                       : Severity::kWarning;
  LogLine(severity, absl::StrCat("protobuf: ", Cut(message), " (", Place(file, line), ")"));
}

}  // namespace

void TakeLibraryLogs() {
  gpr_set_log_function(FromGrpc);
  google::protobuf::SetLogHandler(FromProtobuf);
}

}  // namespace livnd::server
