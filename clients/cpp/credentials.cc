#include "clients/cpp/credentials.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <utility>

#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_credentials_options.h"

namespace livnd::client::internal {
namespace {

constexpr size_t kMaxTokenBytes = 512;
constexpr unsigned kLookPeriodS = 1;
constexpr char kAcceptedToken[] = "one token: 1 .. 512 letters, digits and any of -._~+/=";

Error Invalid(const std::string& field, const std::string& value, const std::string& accepted) {
  return {grpc::StatusCode::INVALID_ARGUMENT,
          field + " is " + value + "; accepted: " + accepted,
          "INVALID_FIELD",
          {{"field", field}, {"value", value}, {"accepted", accepted}}};
}

std::string Quoted(const std::string& path) {
  return path.empty() ? "not given" : "'" + path + "'";
}

bool IsToken(const std::string& text) {
  constexpr char kAllowed[] =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~+/=";
  return !text.empty() && text.size() <= kMaxTokenBytes &&
         text.find_first_not_of(kAllowed) == std::string::npos;
}

// OpenSSL's word for what went wrong first, and none for what comes next.
std::string Why() {
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  ERR_clear_error();
  return reason == nullptr ? "OpenSSL does not take it" : reason;
}

}  // namespace

Credentials::File Credentials::FileOf(const std::optional<std::string>& given, const char* name,
                                      const char* variable) {
  if (given.has_value()) return {name, *given};
  const char* const value = std::getenv(variable);
  if (value == nullptr || *value == '\0') return {name, ""};
  return {variable, value};
}

Result<Credentials> Credentials::Make(const ClientOptions& options) {
  Credentials credentials;
  credentials.token_ = FileOf(options.token, "token", "LIVND_TOKEN");
  credentials.token_file_ = FileOf(options.token_file, "token_file", "LIVND_TOKEN_FILE");
  // Where one of the two is given the environment has no say.
  if (options.token.has_value() && !options.token_file.has_value()) credentials.token_file_ = {};
  if (options.token_file.has_value() && !options.token.has_value()) credentials.token_ = {};
  credentials.ca_ = FileOf(options.tls_ca, "tls_ca", "LIVND_TLS_CA");
  credentials.cert_ = FileOf(options.tls_cert, "tls_cert", "LIVND_TLS_CERT");
  credentials.key_ = FileOf(options.tls_key, "tls_key", "LIVND_TLS_KEY");
  if (const Result<void> taken = credentials.CheckTls(); !taken.ok()) return taken.error();
  if (const Result<std::string> token = credentials.ReadToken(); !token.ok()) return token.error();
  return credentials;
}

Result<std::string> Credentials::ReadToken() const {
  if (!token_.path.empty() && !token_file_.path.empty()) {
    return Invalid(token_file_.name, Quoted(token_file_.path), "nothing beside " + token_.name);
  }
  if (!token_.path.empty()) {
    if (IsToken(token_.path)) return token_.path;
    // Nobody shall read it in a log.
    return Invalid(token_.name, "text of " + std::to_string(token_.path.size()) + " characters",
                   kAcceptedToken);
  }
  if (token_file_.path.empty()) return std::string();
  errno = 0;
  std::ifstream file(token_file_.path, std::ios::binary);
  std::string text(kMaxTokenBytes * 2, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    return Invalid(
        token_file_.name, Quoted(token_file_.path),
        std::string("a file with ") + kAcceptedToken + " (" + std::strerror(errno) + ")");
  }
  text.resize(static_cast<size_t>(file.gcount()));
  constexpr char kSpace[] = " \t\r\n";
  text.erase(0, std::min(text.find_first_not_of(kSpace), text.size()));
  text.erase(text.find_last_not_of(kSpace) + 1);
  if (IsToken(text)) return text;
  return Invalid(token_file_.name,
                 Quoted(token_file_.path) + " with " + std::to_string(text.size()) + " characters",
                 std::string("a file with ") + kAcceptedToken);
}

Result<void> Credentials::CheckTls() const {
  for (const auto& [one, other] : {std::pair(&cert_, &key_), std::pair(&key_, &cert_)}) {
    if (!one->path.empty() && other->path.empty()) {
      return Invalid(other->name, "not given", "a file beside " + one->name);
    }
  }
  if (!has_tls()) {
    if (!shows()) return {};
    return Invalid(ca_.name, "not given", "a file beside " + cert_.name);
  }
  const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(TLS_client_method()),
                                                             SSL_CTX_free);
  ERR_clear_error();
  if (SSL_CTX_load_verify_locations(context.get(), ca_.path.c_str(), nullptr) != 1) {
    return Invalid(ca_.name, Quoted(ca_.path), "a file of certificates in PEM (" + Why() + ")");
  }
  if (!shows()) return {};
  if (SSL_CTX_use_certificate_chain_file(context.get(), cert_.path.c_str()) != 1) {
    return Invalid(cert_.name, Quoted(cert_.path), "a file of certificates in PEM (" + Why() + ")");
  }
  // Nobody is there to be asked for a password.
  SSL_CTX_set_default_passwd_cb(context.get(), [](char*, int, int, void*) { return -1; });
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_.path.c_str(), SSL_FILETYPE_PEM) != 1) {
    return Invalid(key_.name, Quoted(key_.path),
                   "a file with the private key of " + cert_.name +
                       " in PEM, which needs no password (" + Why() + ")");
  }
  return {};
}

std::shared_ptr<grpc::ChannelCredentials> Credentials::ForChannel() const {
  if (!has_tls()) return grpc::InsecureChannelCredentials();
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(
      std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(key_.path, cert_.path,
                                                                           ca_.path, kLookPeriodS));
  options.watch_root_certs();
  if (shows()) options.watch_identity_key_cert_pairs();
  return grpc::experimental::TlsCredentials(options);
}

}  // namespace livnd::client::internal
