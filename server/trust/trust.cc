#include "server/trust/trust.h"

#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "server/trust/tls_credentials.h"
#include "server/wire/errors.h"

namespace livnd::server {
namespace {

constexpr absl::Duration kLookPeriod = absl::Seconds(1);
constexpr char kHeader[] = "authorization";

absl::Status CheckTogether(const TlsFiles& tls) {
  if (tls.cert.empty() == tls.key.empty() && (tls.ca.empty() || !tls.cert.empty())) {
    return absl::OkStatus();
  }
  const auto given = [](const std::string& path) {
    return path.empty() ? std::string("not given") : absl::StrCat("'", path, "'");
  };
  return absl::InvalidArgumentError(absl::StrCat(
      "tls-cert is ", given(tls.cert), ", tls-key ", given(tls.key), ", tls-client-ca ",
      given(tls.ca), "; accepted: none, tls-cert and tls-key, or all of them"));
}

absl::Status Unauthenticated(absl::string_view value) {
  constexpr char kAccepted[] = "'Bearer TOKEN' with a token of the server's";
  return MakeError(absl::StatusCode::kUnauthenticated, reason::kUnauthenticated,
                   absl::StrCat("the call's ", kHeader, " is ", value, "; accepted: ", kAccepted),
                   {{"field", kHeader}, {"value", std::string(value)}, {"accepted", kAccepted}});
}

absl::Status NotAdmin(absl::string_view value, absl::string_view accepted) {
  return MakeError(
      absl::StatusCode::kPermissionDenied, reason::kNotAdmin,
      absl::StrCat("the call is for who looks after the server; its ", kHeader, " is ", value,
                   "; accepted: ", accepted),
      {{"field", kHeader}, {"value", std::string(value)}, {"accepted", std::string(accepted)}});
}

// UNAUTHENTICATED where a call shows none.
absl::StatusOr<absl::string_view> TokenShown(const grpc::ServerContextBase& call) {
  const auto [first, last] = call.client_metadata().equal_range(kHeader);
  if (first == last) return Unauthenticated("missing");
  if (std::next(first) != last) return Unauthenticated("there several times");
  absl::string_view shown(first->second.data(), first->second.size());
  constexpr absl::string_view kScheme = "bearer ";
  if (!absl::StartsWithIgnoreCase(shown, kScheme)) return Unauthenticated("no bearer token");
  shown.remove_prefix(kScheme.size());
  return absl::StripAsciiWhitespace(shown);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Trust>> Trust::Open(const TrustOptions& options,
                                                   bool sockets_alone) {
  LIVND_RETURN_IF_ERROR(CheckTogether(options.tls));
  auto trust = std::unique_ptr<Trust>(new Trust());
  trust->sockets_alone_ = sockets_alone;
  if (options.encrypts()) {
    LIVND_ASSIGN_OR_RETURN(
        trust->tls_, Reread<TlsMaterial>::Create("the certificates",
                                                 [tls = options.tls] { return ReadTls(tls); }));
  }
  if (!options.tokens.empty()) {
    LIVND_ASSIGN_OR_RETURN(
        trust->tokens_, Reread<Tokens>::Create(
                            "the tokens", [path = options.tokens] { return Tokens::Read(path); }));
  }
  if (!options.admin_tokens.empty()) {
    LIVND_ASSIGN_OR_RETURN(
        trust->admin_tokens_,
        Reread<Tokens>::Create("the admin tokens",
                               [path = options.admin_tokens] { return Tokens::Read(path); }));
  }
  if (trust->tls_ != nullptr || trust->tokens_ != nullptr || trust->admin_tokens_ != nullptr) {
    trust->thread_ = std::thread([self = trust.get()] { self->Run(); });
  }
  return trust;
}

Trust::~Trust() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    stop_.Signal();
  }
  if (thread_.joinable()) thread_.join();
}

void Trust::Run() {
  MutexLock lock(mu_);
  while (true) {
    stop_.WaitFor(mu_, kLookPeriod);
    if (stopping_) return;
    if (tls_ != nullptr) tls_->Look();
    if (tokens_ != nullptr) tokens_->Look();
    if (admin_tokens_ != nullptr) admin_tokens_->Look();
  }
}

std::shared_ptr<grpc::ServerCredentials> Trust::Credentials() const {
  if (tls_ == nullptr) return grpc::InsecureServerCredentials();
  return std::make_shared<TlsCredentials>(tls_);
}

absl::StatusOr<std::string> Trust::TenantOf(const grpc::ServerContextBase& call) const {
  if (tokens_ == nullptr) return "";
  LIVND_ASSIGN_OR_RETURN(const absl::string_view token, TokenShown(call));
  const std::string* tenant = tokens_->current()->TenantOf(token);
  if (tenant == nullptr) return Unauthenticated("a token that the server does not know");
  return *tenant;
}

absl::StatusOr<std::string> Trust::AdminOf(const grpc::ServerContextBase& call) const {
  if (admin_tokens_ != nullptr) {
    LIVND_ASSIGN_OR_RETURN(const absl::string_view token, TokenShown(call));
    if (admin_tokens_->current()->TenantOf(token) != nullptr) return "";
    if (tokens_ == nullptr || tokens_->current()->TenantOf(token) == nullptr) {
      return Unauthenticated("a token that the server does not know");
    }
    return NotAdmin("the token of a tenant", "an admin token (--admin-tokens)");
  }
  if (tokens_ != nullptr) return NotAdmin("any", "none: the server has no --admin-tokens");
  if (sockets_alone_) return "";
  return NotAdmin("not asked for",
                  "none: others can reach the server, which has no --admin-tokens");
}

std::string Trust::Describe() const {
  std::string text;
  if (tls_ != nullptr) {
    text = tls_->current()->ca_pem.empty() ? "TLS" : "TLS with client certificates";
  }
  if (tokens_ != nullptr) {
    const std::shared_ptr<const Tokens> tokens = tokens_->current();
    absl::StrAppend(&text, text.empty() ? "" : ", ", tokens->num_tokens(), " token(s) of ",
                    tokens->num_tenants(), " tenant(s)");
  }
  if (admin_tokens_ != nullptr) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", admin_tokens_->current()->num_tokens(),
                    " admin token(s)");
  }
  return text.empty() ? "nothing" : text;
}

}  // namespace livnd::server
