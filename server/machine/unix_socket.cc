#include "server/machine/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace livnd::server {
namespace {

// True if somebody accepts connections at the path.
bool Answers(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return false;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return true;  // cannot tell: do not take the path
  const bool refused =
      connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 &&
      errno == ECONNREFUSED;
  close(fd);
  return !refused;
}

}  // namespace

absl::StatusOr<std::unique_ptr<UnixSocketClaim>> UnixSocketClaim::Acquire(const std::string& path) {
  absl::StatusOr<std::unique_ptr<FileLock>> lock = FileLock::Acquire(absl::StrCat(path, ".lock"));
  if (!lock.ok()) {
    return absl::Status(lock.status().code(),
                        absl::StrCat("cannot listen on ", path, ": ", lock.status().message()));
  }
  struct stat found;
  if (lstat(path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode)) {
      return absl::FailedPreconditionError(absl::StrCat(path, " exists and is not a socket"));
    }
    if (Answers(path)) {
      return absl::FailedPreconditionError(absl::StrCat("another server answers on ", path));
    }
    if (unlink(path.c_str()) != 0 && errno != ENOENT) {
      return absl::ErrnoToStatus(errno, absl::StrCat("cannot remove the stale socket ", path));
    }
  }
  return std::unique_ptr<UnixSocketClaim>(new UnixSocketClaim(path, *std::move(lock)));
}

UnixSocketClaim::~UnixSocketClaim() { unlink(path_.c_str()); }

}  // namespace livnd::server
