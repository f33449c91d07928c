// Where the server listens: text from the command line, checked.
#ifndef LIVND_SERVER_MACHINE_LISTEN_ADDRESS_H_
#define LIVND_SERVER_MACHINE_LISTEN_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace livnd::server {

// A Unix socket or a TCP port. A value.
struct ListenAddress {
  // Not empty for a Unix socket; absolute if it was parsed.
  std::string unix_path;

  // For TCP. Port 0 asks for a free one. IPv6 hosts have no brackets here.
  std::string host;
  int port = 0;

  bool is_unix() const { return !unix_path.empty(); }
  // True for a Unix socket and for hosts that only this machine can reach: 127.0.0.0/8, ::1 and
  // "localhost". Other names are not looked up and count as reachable.
  bool is_local() const;

  // As clients write it: "unix:PATH", "127.0.0.1:5005", "[::1]:5005".
  std::string ToString() const;

  // InvalidArgument, with what is accepted, for anything but "unix:PATH" (also "unix:///PATH") and
  // "HOST:PORT" with IPv6 hosts in brackets. A path that does not begin with '/' is taken from the
  // working directory and becomes absolute, and must then fit into sockaddr_un and hold no comma:
  // gRPC takes the path for several where there is one, so that no client could connect.
  static absl::StatusOr<ListenAddress> Parse(absl::string_view text);

  // Where a socket listens. FailedPrecondition: at no path and no port.
  static absl::StatusOr<ListenAddress> OfSocket(int fd);
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_LISTEN_ADDRESS_H_
