// What a client shows of itself and asks of its server: a token, and TLS. Not for users of the library.
#ifndef LIVND_CLIENTS_CPP_CREDENTIALS_H_
#define LIVND_CLIENTS_CPP_CREDENTIALS_H_

#include <memory>
#include <string>

#include "clients/cpp/client_options.h"
#include "clients/cpp/result.h"
#include "grpcpp/security/credentials.h"

namespace livnd::client::internal {

// Where they come from: a value that holds a token only if it was given as text.
class Credentials {
 public:
  // Of options and environment. INVALID_FIELD: files of TLS that OpenSSL does not take; what does not
  // go together.
  static Result<Credentials> Make(const ClientOptions& options);

  // The token as it is now, "" for none. INVALID_FIELD: what should hold one does not.
  Result<std::string> ReadToken() const;

  bool has_tls() const { return !ca_.path.empty(); }
  // Whether a certificate is shown.
  bool shows() const { return !cert_.path.empty(); }

  // For a channel.
  std::shared_ptr<grpc::ChannelCredentials> ForChannel() const;

 private:
  // A file, and what the caller knows it by: "tls_ca", or "LIVND_TLS_CA".
  struct File {
    std::string name;
    std::string path;
  };
  static File FileOf(const std::optional<std::string>& given, const char* name,
                     const char* variable);
  Result<void> CheckTls() const;

  File token_;  // its text in place of a path
  File token_file_;
  File ca_;
  File cert_;
  File key_;
};

}  // namespace livnd::client::internal

#endif  // LIVND_CLIENTS_CPP_CREDENTIALS_H_
