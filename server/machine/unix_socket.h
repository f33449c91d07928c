// The right to listen at a path of the file system.
#ifndef LIVND_SERVER_MACHINE_UNIX_SOCKET_H_
#define LIVND_SERVER_MACHINE_UNIX_SOCKET_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/machine/file_lock.h"

namespace livnd::server {

// Who wants to listen at a path where a killed server has left its socket must remove that first,
// and must not take a living server's clients away by it. A claim tells the two apart: it is held
// from before the binding until after the last call, by a lock file PATH.lock, and removes the
// socket at the end.
class UnixSocketClaim {
 public:
  // Removes a socket that nobody answers on. FailedPrecondition if a server lives there, or if the
  // path leads to something that is not a socket.
  static absl::StatusOr<std::unique_ptr<UnixSocketClaim>> Acquire(const std::string& path);

  ~UnixSocketClaim();
  UnixSocketClaim(const UnixSocketClaim&) = delete;
  UnixSocketClaim& operator=(const UnixSocketClaim&) = delete;

 private:
  UnixSocketClaim(std::string path, std::unique_ptr<FileLock> lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}
  const std::string path_;
  const std::unique_ptr<FileLock> lock_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_UNIX_SOCKET_H_
