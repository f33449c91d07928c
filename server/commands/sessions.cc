#include "server/commands/sessions.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "clients/cpp/admin.h"
#include "grpc/support/log.h"
#include "nlohmann/json.hpp"
#include "server/commands/flags.h"
#include "server/commands/json_line.h"
#include "server/session/session.h"

namespace livnd::server {
namespace {

struct Settings {
  std::string end;
  std::string token_file;
  client::ClientOptions options;
  std::string tls_ca, tls_cert, tls_key;
  absl::Duration timeout = absl::Seconds(5);
  bool drain = false;
  bool json = false;
};

FlagSet MakeFlags(Settings& settings) {
  FlagSet flags(
      "livnd sessions ADDRESS [FLAG...]",
      "Lists the sessions of the server at unix:PATH or HOST:PORT, those that were called last "
      "first,\nafter it has ended those that --end names. For who looks after the server: over a "
      "Unix socket where\nit has no tokens, otherwise with a token of its --admin-tokens. Exit "
      "status: 0; 1 if the server does\nnot answer or refuses; 2 if the command line is wrong.");
  flags.String("end", "SESSION,...",
               "end these sessions, with all that is kept of them: names, or beginnings of 8 "
               "characters or more",
               &settings.end);
  flags.Switch("drain", "have the server end, as on SIGTERM", &settings.drain);
  flags.String("token-file", "FILE",
               "holds the token to show (default: LIVND_TOKEN_FILE or LIVND_TOKEN of the "
               "environment, or none)",
               &settings.token_file);
  flags.String("tls-ca", "FILE",
               "call with TLS: CAs in PEM, to one of which the server's certificate leads "
               "(default:\n      LIVND_TLS_CA of the environment, or no TLS)",
               &settings.tls_ca);
  flags.String("tls-cert", "FILE",
               "a certificate to show, in PEM (default: LIVND_TLS_CERT, or none)",
               &settings.tls_cert);
  flags.String("tls-key", "FILE", "its private key, in PEM (default: LIVND_TLS_KEY)",
               &settings.tls_key);
  flags.Timeout("timeout", "TIME",
                "how long to wait for an answer: 1, 500ms; 0 or never for no limit (default: 5s)",
                &settings.timeout);
  flags.Switch("json", "print one JSON object: address, ended, sessions", &settings.json);
  return flags;
}

client::ClientOptions OptionsOf(const Settings& settings) {
  client::ClientOptions options;
  const auto given = [](const std::string& text) {
    return text.empty() ? std::optional<std::string>() : text;
  };
  options.token_file = given(settings.token_file);
  options.tls_ca = given(settings.tls_ca);
  options.tls_cert = given(settings.tls_cert);
  options.tls_key = given(settings.tls_key);
  const auto timeout = std::chrono::milliseconds(
      absl::ToInt64Milliseconds(std::min(settings.timeout, absl::Hours(24 * 365))));
  options.call_timeout = options.connect_timeout = timeout;
  options.retry_time = std::chrono::milliseconds(0);
  return options;
}

absl::string_view PlaceName(v1::SessionPlace place) {
  switch (place) {
    case v1::SESSION_PLACE_MEMORY:
      return "memory";
    case v1::SESSION_PLACE_DISK:
      return "disk";
    case v1::SESSION_PLACE_LOST:
      return "lost";
    default:
      return "unknown";
  }
}

// Whole seconds, as the eye takes them in.
std::string Idle(const v1::SessionSummary& session) {
  if (session.num_calls() > 0) return absl::StrCat(session.num_calls(), " calls");
  return absl::FormatDuration(absl::Trunc(absl::Seconds(session.idle_s()), absl::Seconds(1)));
}

void PrintTable(const std::vector<v1::SessionSummary>& sessions) {
  std::vector<std::vector<std::string>> rows = {
      {"SESSION", "TENANT", "ENVIRONMENT", "COPIES", "PLACE", "IDLE", "HOLDER"}};
  for (const v1::SessionSummary& session : sessions) {
    rows.push_back({std::string(Session::TagOf(session.session())),
                    session.tenant().empty() ? "-" : session.tenant(), session.environment_id(),
                    absl::StrCat(session.num_envs()), std::string(PlaceName(session.place())),
                    Idle(session), absl::StrCat(session.generation())});
    if (!session.why().empty()) rows.back().push_back(absl::CHexEscape(session.why()));
  }
  constexpr size_t kNumColumns = 7;
  std::vector<size_t> widths(kNumColumns, 0);
  for (const auto& row : rows) {
    for (size_t c = 0; c < kNumColumns; ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      absl::StrAppend(&line, row[c]);
      if (c + 1 < row.size()) {
        line.append(2 + (c < kNumColumns ? widths[c] - row[c].size() : 0), ' ');
      }
    }
    std::printf("%s\n", line.c_str());
  }
}

void PrintJson(const std::string& address, const std::vector<std::string>& ended,
               const std::vector<v1::SessionSummary>& sessions) {
  nlohmann::ordered_json told;
  told["address"] = address;
  told["ended"] = ended;
  told["sessions"] = nlohmann::ordered_json::array();
  for (const v1::SessionSummary& session : sessions) {
    nlohmann::ordered_json one;
    one["session"] = session.session();
    one["tenant"] = session.tenant();
    one["environment_id"] = session.environment_id();
    one["num_envs"] = session.num_envs();
    one["place"] = PlaceName(session.place());
    if (!session.why().empty()) one["why"] = session.why();
    one["idle_s"] = session.idle_s();
    one["num_calls"] = session.num_calls();
    one["generation"] = session.generation();
    told["sessions"].push_back(std::move(one));
  }
  std::printf("%s\n", JsonLine(told).c_str());
}

int Fail(const std::string& address, const client::Error& error) {
  std::fprintf(stderr, "livnd sessions: %s: %s\n", address.c_str(),
               absl::CHexEscape(error.ToString()).c_str());
  // What the command line and the environment say is looked at before anything is sent.
  return error.reason == "INVALID_FIELD" && error.metadata.count("session") == 0 ? kExitUsage
                                                                                 : kExitFailure;
}

}  // namespace

int SessionsCommand(absl::Span<const std::string> args) {
  Settings settings;
  const FlagSet flags = MakeFlags(settings);
  int exit_status = kExitOk;
  const std::optional<std::string> only = OnlyArgument(
      flags, args, "sessions", "expected one address, unix:PATH or HOST:PORT", &exit_status);
  if (!only.has_value()) return exit_status;
  gpr_set_log_function([](gpr_log_func_args*) {});  // errors say it all
  const std::string& address = *only;
  const std::unique_ptr<client::Admin> admin = client::Admin::Connect(address, OptionsOf(settings));
  std::vector<std::string> ended;
  for (const absl::string_view name : absl::StrSplit(settings.end, ',', absl::SkipWhitespace())) {
    const client::Result<std::string> end =
        admin->EndSession(std::string(absl::StripAsciiWhitespace(name)));
    if (!end.ok()) return Fail(address, end.error());
    ended.push_back(end.value());
    if (!settings.json) std::printf("ended %s\n", end.value().c_str());
  }
  const auto sessions = admin->ListSessions();
  if (!sessions.ok()) return Fail(address, sessions.error());
  if (settings.drain) {
    if (const client::Result<void> drained = admin->Drain(); !drained.ok()) {
      return Fail(address, drained.error());
    }
  }
  if (settings.json) {
    PrintJson(address, ended, sessions.value());
  } else {
    PrintTable(sessions.value());
    if (settings.drain) std::printf("the server ends\n");
  }
  return kExitOk;
}

}  // namespace livnd::server
