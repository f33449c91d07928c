// Where a server is, as users write it, and what gRPC has to be told. Not for users of the library.
#ifndef LIVND_CLIENTS_CPP_ADDRESS_H_
#define LIVND_CLIENTS_CPP_ADDRESS_H_

#include <string>

#include "clients/cpp/result.h"

namespace livnd::client::internal {

struct Address {
  std::string text;    // as it was given
  std::string target;  // gRPC's URI
  std::string host;    // empty for a Unix socket

  // True on this machine: a Unix socket, localhost, a loopback address.
  bool is_local() const;
};

// INVALID_FIELD unless `text` is "unix:PATH", "HOST:PORT" or "[IPV6]:PORT". A path is
// made absolute, has to fit into a socket's address, and may hold any bytes but zero and a comma.
Result<Address> ParseAddress(const std::string& text);

// The environment variable that makes gRPC call `address` through an HTTP proxy, or "". gRPC looks at
// grpc_proxy, https_proxy and http_proxy, and spares the names that no_grpc_proxy or no_proxy lists;
// this machine is never called through one.
std::string ProxyVariable(const Address& address);

}  // namespace livnd::client::internal

#endif  // LIVND_CLIENTS_CPP_ADDRESS_H_
