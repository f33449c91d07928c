// Where connections come in.
#ifndef LIVND_SERVER_MACHINE_LISTENER_H_
#define LIVND_SERVER_MACHINE_LISTENER_H_

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "server/machine/listen_address.h"

namespace livnd::server {

// Accepts connections and hands them on. gRPC has a listener of its own, which ends for good at the
// first connection that it cannot accept, for instance for want of a file descriptor, and which
// decodes '%20' in the path of a socket. This one takes a path as it is and outlives every
// shortage: it closes what comes beyond the process's limit, keeping a few descriptors for the
// server's own work, and waits where there is none at all (docs/decisions/0009).
//
// Owns the sockets and one thread. Its owner uses it from one thread.
class Listener {
 public:
  // Takes the descriptor of a connection: non-blocking, closed on exec.
  using Accepted = std::function<void(int fd)>;

  // Binds and listens; connections wait until Start. A Unix socket is its owner's alone (mode
  // 0600). A host that has several addresses is listened to on all that this machine has, with one
  // port. FailedPrecondition: the address is taken, or not this machine's.
  static absl::StatusOr<std::unique_ptr<Listener>> Create(const ListenAddress& address);

  // Sockets that listen already, non-blocking, which become the listener's; ListenAddress::OfSocket
  // knows where.
  static absl::StatusOr<std::unique_ptr<Listener>> Adopt(std::vector<int> sockets);

  // Ends the thread and closes the sockets: new connections are refused from then on. Does not
  // remove a Unix socket's path.
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // 0 for a Unix socket, and of sockets that were adopted.
  int port() const { return port_; }

  // Once. `accepted` is called on the listener's thread.
  void Start(Accepted accepted);

 private:
  Listener() = default;
  absl::Status MakeWake();
  absl::Status ListenOnPath(const std::string& path);
  absl::Status ListenOnHost(const ListenAddress& address);
  void Run();
  // Accepts what waits at a socket; false if the process has no descriptor left.
  bool AcceptAll(int socket);
  void Refuse(int fd);

  std::vector<int> sockets_;
  int port_ = 0;
  int wake_fd_ = -1;  // readable once the thread shall end
  Accepted accepted_;
  std::thread thread_;
  // Touched by the thread only.
  int num_refused_ = 0;  // since the last that was accepted
  bool short_of_descriptors_ = false;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_LISTENER_H_
