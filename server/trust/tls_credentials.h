// gRPC's side of TLS: certificates that may change while the server runs.
#ifndef LIVND_SERVER_TRUST_TLS_CREDENTIALS_H_
#define LIVND_SERVER_TRUST_TLS_CREDENTIALS_H_

#include <memory>
#include <string>

#include "grpc/grpc_security.h"
#include "grpcpp/security/server_credentials.h"
#include "server/machine/mutex.h"
#include "server/trust/reread.h"
#include "server/trust/tls_files.h"

namespace livnd::server {

// Every handshake has the certificates that hold at that moment; connections that there are keep
// theirs. Clients must show a certificate if there are CAs for them at the start; whether there is one
// does not change.
//
// gRPC's own providers that watch files would also take a key for a certificate that has not come yet,
// and refuse everybody until it does. Thread-safe.
class TlsCredentials final : public grpc::ServerCredentials {
 public:
  explicit TlsCredentials(std::shared_ptr<const Reread<TlsMaterial>> material)
      : material_(std::move(material)) {}

  // There is none: tokens are looked at where the answer can tell what is wrong (Trust::TenantOf).
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override;
  // gRPC asks before a handshake what has changed. `self` is a TlsCredentials.
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config);

  const std::shared_ptr<const Reread<TlsMaterial>> material_;
  Mutex mu_;
  std::shared_ptr<const TlsMaterial> fetched_ ABSL_GUARDED_BY(mu_);
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_TRUST_TLS_CREDENTIALS_H_
