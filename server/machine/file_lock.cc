#include "server/machine/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace livnd::server {
namespace {

// What the holder wrote, if it is a process number.
std::string Holder(int fd) {
  char text[32] = {};
  const ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
  const absl::string_view pid = absl::StripAsciiWhitespace(absl::string_view(text, n > 0 ? n : 0));
  return pid.empty() ? "another process" : absl::StrCat("process ", pid);
}

// True if the path still leads to the open file, and not to a newer one or to nothing.
bool IsSameFile(int fd, const std::string& path) {
  struct stat opened;
  struct stat named;
  return fstat(fd, &opened) == 0 && stat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileLock>> FileLock::Acquire(const std::string& path) {
  while (true) {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open lock file ", path));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      const std::string holder = Holder(fd);
      close(fd);
      if (error == EWOULDBLOCK) {
        return absl::FailedPreconditionError(absl::StrCat(path, " is locked by ", holder));
      }
      return absl::ErrnoToStatus(error, absl::StrCat("cannot lock ", path));
    }
    // The last holder may have removed the file between our open and our lock.
    if (!IsSameFile(fd, path)) {
      close(fd);
      continue;
    }
    const std::string pid = absl::StrCat(getpid(), "\n");
    if (ftruncate(fd, 0) != 0 ||
        pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
      const int error = errno;
      close(fd);
      return absl::ErrnoToStatus(error, absl::StrCat("cannot write ", path));
    }
    return std::unique_ptr<FileLock>(new FileLock(path, fd));
  }
}

FileLock::~FileLock() {
  unlink(path_.c_str());  // while the lock is held: nobody else's file can be there
  close(fd_);
}

}  // namespace livnd::server
