// The right to listen at a path of the file system.
#ifndef LIVND_SERVER_MACHINE_UNIX_SOCKET_H_
#define LIVND_SERVER_MACHINE_UNIX_SOCKET_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/machine/file_lock.h"

namespace livnd::server {

// gRPC removes whatever socket it finds at a path before it binds there, and so takes a living
// server's clients away without a word. A claim prevents that: it is held from before the binding
// until after the last call, by a lock file PATH.lock, and removes the socket at the end.
class UnixSocketClaim {
 public:
  // Removes a socket that nobody answers on. FailedPrecondition if a server lives there, or if the
  // path leads to something that is not a socket.
  static absl::StatusOr<std::unique_ptr<UnixSocketClaim>> Acquire(const std::string& path);

  ~UnixSocketClaim();
  UnixSocketClaim(const UnixSocketClaim&) = delete;
  UnixSocketClaim& operator=(const UnixSocketClaim&) = delete;

  // After the binding: makes the socket its owner's alone (mode 0600).
  absl::Status Protect() const;

 private:
  UnixSocketClaim(std::string path, std::unique_ptr<FileLock> lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}
  const std::string path_;
  const std::unique_ptr<FileLock> lock_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_UNIX_SOCKET_H_
