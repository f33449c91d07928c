#include "server/trust/tls_credentials.h"

#include <utility>

#include "grpc/grpc.h"

namespace livnd::server {

int TlsCredentials::AddPortToServer(const std::string& address, grpc_server* server) {
  const bool ask_clients = !material_->current()->ca_pem.empty();
  grpc_server_credentials* const credentials = grpc_ssl_server_credentials_create_with_options(
      grpc_ssl_server_credentials_create_options_using_config_fetcher(
          ask_clients ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                      : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
          &TlsCredentials::Fetch, this));
  const int port = grpc_server_add_http2_port(server, address.c_str(), credentials);
  grpc_server_credentials_release(credentials);
  return port;
}

grpc_ssl_certificate_config_reload_status TlsCredentials::Fetch(
    void* self, grpc_ssl_server_certificate_config** config) {
  auto& credentials = *static_cast<TlsCredentials*>(self);
  std::shared_ptr<const TlsMaterial> material = credentials.material_->current();
  MutexLock lock(credentials.mu_);
  if (credentials.fetched_ == material) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  const grpc_ssl_pem_key_cert_pair pair = {material->key_pem.c_str(), material->cert_pem.c_str()};
  // gRPC wants some CAs in any case; where clients are not asked for certificates it has no use for them.
  const std::string& roots = material->ca_pem.empty() ? material->cert_pem : material->ca_pem;
  *config = grpc_ssl_server_certificate_config_create(roots.c_str(), &pair, 1);
  credentials.fetched_ = std::move(material);
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

}  // namespace livnd::server
