#include "server/commands/health.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "grpc/support/log.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "nlohmann/json.hpp"
#include "server/commands/flags.h"
#include "server/commands/json_line.h"
#include "server/machine/descriptor_limit.h"
#include "server/machine/listen_address.h"
#include "server/machine/read_file.h"
#include "server/trust/tls_files.h"

namespace livnd::server {
namespace {

namespace health = grpc::health::v1;

struct Settings {
  TlsFiles tls;
  absl::Duration timeout = absl::Seconds(5);
  bool json = false;
};

FlagSet MakeFlags(Settings& settings) {
  FlagSet flags(
      "livnd health ADDRESS [FLAG...]",
      "Asks the server at unix:PATH or HOST:PORT whether it serves; no token is needed. Exit "
      "status:\n"
      "0 if it does, 1 if it drains or nobody answers, 2 if the command line is wrong.");
  flags.Timeout("timeout", "TIME",
                "how long to wait for the answer: 1, 500ms; 0 or never for no limit (default: 5s)",
                &settings.timeout);
  flags.String("tls-ca", "FILE",
               "call with TLS: CAs in PEM, to one of which the server's certificate leads "
               "(default:\n      LIVND_TLS_CA of the environment, or no TLS)",
               &settings.tls.ca);
  flags.String("tls-cert", "FILE",
               "a certificate to show, in PEM (default: LIVND_TLS_CERT, or none)",
               &settings.tls.cert);
  flags.String("tls-key", "FILE", "its private key, in PEM (default: LIVND_TLS_KEY)",
               &settings.tls.key);
  flags.Switch("json", "print one JSON object: address, serving, status, error", &settings.json);
  return flags;
}

// What gRPC and one connection take, and some more.
constexpr int kMinFreeDescriptors = 16;

// What was found out.
struct Finding {
  std::string status;  // grpc.health.v1's, or UNREACHABLE
  std::string error;   // one line; empty if it serves
};

// gRPC takes a URI, in which '#', '?' and '%' of a path would mean something else.
std::string Target(const ListenAddress& address) {
  if (!address.is_unix()) return address.ToString();
  std::string target = "unix:";
  for (const char c : address.unix_path) {
    const bool plain = absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '/' || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    absl::StrAppend(&target, plain ? std::string(1, c)
                                   : absl::StrCat("%", absl::Hex(static_cast<unsigned char>(c),
                                                                 absl::kZeroPad2)));
  }
  return target;
}

// What the command line leaves out, as the clients take it.
void TakeFromEnvironment(TlsFiles& tls) {
  const auto take = [](std::string& path, const char* variable) {
    const char* const value = std::getenv(variable);
    if (path.empty() && value != nullptr) path = value;
  };
  take(tls.ca, "LIVND_TLS_CA");
  take(tls.cert, "LIVND_TLS_CERT");
  take(tls.key, "LIVND_TLS_KEY");
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> CredentialsOf(const TlsFiles& tls) {
  if (tls.cert.empty() != tls.key.empty() || (tls.ca.empty() && !tls.cert.empty())) {
    const auto given = [](const std::string& path) {
      return path.empty() ? std::string("not given") : absl::StrCat("'", path, "'");
    };
    return absl::InvalidArgumentError(absl::StrCat(
        "tls-ca (LIVND_TLS_CA) is ", given(tls.ca), ", tls-cert (LIVND_TLS_CERT) ", given(tls.cert),
        ", tls-key (LIVND_TLS_KEY) ", given(tls.key), "; accepted: none, tls-ca, or all of them"));
  }
  if (tls.ca.empty()) return grpc::InsecureChannelCredentials();
  LIVND_ASSIGN_OR_RETURN(TlsMaterial material, ReadTls(tls, Readers::kAnyone));
  return grpc::SslCredentials(
      {std::move(material.ca_pem), std::move(material.key_pem), std::move(material.cert_pem)});
}

Finding Ask(const ListenAddress& address,
            const std::shared_ptr<grpc::ChannelCredentials>& credentials, absl::Duration timeout) {
  if (const absl::Status enough = RequireFreeDescriptors(kMinFreeDescriptors); !enough.ok()) {
    return {"UNREACHABLE", absl::StrCat("cannot ask: ", enough.message())};
  }
  gpr_set_log_function([](gpr_log_func_args*) {});  // the finding says it all
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);  // this very server, and no proxy's opinion
  const auto stub =
      health::Health::NewStub(grpc::CreateCustomChannel(Target(address), credentials, arguments));
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  health::HealthCheckResponse response;
  const grpc::Status called = stub->Check(&context, health::HealthCheckRequest(), &response);
  if (called.ok()) {
    const std::string status = health::HealthCheckResponse::ServingStatus_Name(response.status());
    if (response.status() == health::HealthCheckResponse::SERVING) return {status, ""};
    if (response.status() == health::HealthCheckResponse::NOT_SERVING) {
      return {status, "it does not serve: it is ending"};
    }
    return {status.empty() ? "UNKNOWN" : status, "it does not say that it serves"};
  }
  switch (called.error_code()) {
    case grpc::StatusCode::UNIMPLEMENTED:
      return {"UNREACHABLE", "what answers is no livnd server: it has no grpc.health.v1"};
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return {"UNREACHABLE", absl::StrCat("no answer within ", absl::FormatDuration(timeout))};
    default:
      return {"UNREACHABLE",
              absl::StrCat("no livnd server answers: ", absl::CHexEscape(called.error_message()))};
  }
}

// The one address of the command line.
absl::StatusOr<ListenAddress> AddressOf(const FlagSet::Parsed& parsed) {
  if (parsed.positional.size() != 1) {
    return absl::InvalidArgumentError("expected one address, unix:PATH or HOST:PORT; try --help");
  }
  absl::StatusOr<ListenAddress> address = ListenAddress::Parse(parsed.positional.front());
  if (address.ok() && !address->is_unix() && address->port == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "address '", parsed.positional.front(), "': no server has port 0; accepted: 1 .. 65535"));
  }
  return address;
}

}  // namespace

int HealthCommand(absl::Span<const std::string> args) {
  Settings settings;
  const FlagSet flags = MakeFlags(settings);
  const absl::StatusOr<FlagSet::Parsed> parsed = flags.Parse(args);
  if (parsed.ok() && parsed->help) {
    std::printf("%s", flags.Help().c_str());
    return kExitOk;
  }
  const absl::StatusOr<ListenAddress> address =
      parsed.ok() ? AddressOf(*parsed) : absl::StatusOr<ListenAddress>(parsed.status());
  TakeFromEnvironment(settings.tls);
  const auto credentials = CredentialsOf(settings.tls);
  if (const absl::Status& usage = address.ok() ? credentials.status() : address.status();
      !usage.ok()) {
    std::fprintf(stderr, "livnd health: %s\n", std::string(usage.message()).c_str());
    return kExitUsage;
  }
  const Finding finding = Ask(*address, *credentials, settings.timeout);
  if (settings.json) {
    nlohmann::ordered_json json;
    json["address"] = address->ToString();
    json["serving"] = finding.error.empty();
    json["status"] = finding.status;
    if (!finding.error.empty()) json["error"] = finding.error;
    std::printf("%s\n", JsonLine(json).c_str());
  } else if (finding.error.empty()) {
    std::printf("%s: %s\n", address->ToString().c_str(), finding.status.c_str());
  } else {
    std::fprintf(stderr, "livnd health: %s: %s\n", address->ToString().c_str(),
                 finding.error.c_str());
  }
  return finding.error.empty() ? kExitOk : kExitFailure;
}

}  // namespace livnd::server
