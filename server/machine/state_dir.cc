#include "server/machine/state_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace livnd::server {
namespace {

// mkdir -p with mode 0700 for the folders that it makes.
absl::Status MakeFolders(const std::string& path) {
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      return absl::ErrnoToStatus(errno, absl::StrCat("cannot make the folder ", part));
    }
    if (slash == std::string::npos) break;
  }
  struct stat made;
  if (stat(path.c_str(), &made) != 0 || !S_ISDIR(made.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(path, " is not a folder"));
  }
  return absl::OkStatus();
}

absl::Status WriteFile(const std::string& path, absl::string_view text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  close(fd);
  if (!written) return absl::ErrnoToStatus(error, absl::StrCat("cannot write ", path));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> StateDir::DefaultPath() {
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/') {
    return absl::StrCat(state, "/livnd");
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') {
    return absl::StrCat(home, "/.local/state/livnd");
  }
  return absl::FailedPreconditionError(
      "no place for the server's state: give --state-dir, or set HOME");
}

absl::StatusOr<std::unique_ptr<StateDir>> StateDir::Open(const std::string& path) {
  if (path.empty()) return absl::InvalidArgumentError("the state folder's path is empty");
  LIVND_RETURN_IF_ERROR(MakeFolders(path));
  LIVND_ASSIGN_OR_RETURN(std::unique_ptr<FileLock> lock,
                         FileLock::Acquire(absl::StrCat(path, "/lock")));
  auto dir = std::unique_ptr<StateDir>(new StateDir(path, std::move(lock)));
  unlink(dir->EndpointPath().c_str());  // a killed predecessor's
  return dir;
}

StateDir::~StateDir() { unlink(EndpointPath().c_str()); }

std::string StateDir::EndpointPath() const { return absl::StrCat(path_, "/endpoint.json"); }

absl::Status StateDir::PublishEndpoint(absl::string_view json) const {
  const std::string fresh = absl::StrCat(EndpointPath(), ".new");
  LIVND_RETURN_IF_ERROR(WriteFile(fresh, absl::StrCat(json, "\n")));
  if (std::rename(fresh.c_str(), EndpointPath().c_str()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", EndpointPath()));
  }
  return absl::OkStatus();
}

}  // namespace livnd::server
