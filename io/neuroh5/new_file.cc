#include "io/neuroh5/new_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace livnd::io {
namespace {

bool WriteAll(int fd, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

// A folder beside the one that is wanted, with a name of its own.
absl::StatusOr<std::string> MakeFolderBeside(const std::string& path) {
  static std::atomic<int> counter{0};
  while (true) {
    std::string made = absl::StrCat(path, ".", getpid(), "-", ++counter);
    if (mkdir(made.c_str(), 0777) == 0) return made;
    if (errno != EEXIST) return absl::ErrnoToStatus(errno, path);
  }
}

// Takes the name only if nobody has it.
absl::Status RenameToNew(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
    return absl::OkStatus();
  }
  // A file system that does not know how: then no name is taken but that of an empty folder.
  if (errno == EINVAL && rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, to);
}

}  // namespace

absl::Status WriteNewFile(const std::string& path, absl::string_view bytes) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return absl::ErrnoToStatus(errno, path);
  bool written = WriteAll(fd, bytes) && fsync(fd) == 0;
  int error = errno;
  if (close(fd) != 0 && written) {
    written = false;
    error = errno;
  }
  if (written) return absl::OkStatus();
  unlink(path.c_str());
  return absl::ErrnoToStatus(error, path);
}

absl::Status MakeNewFolder(const std::string& path,
                           absl::FunctionRef<absl::Status(const std::string&)> fill) {
  std::string name = path;
  while (name.size() > 1 && absl::EndsWith(name, "/")) name.pop_back();
  struct stat info;
  if (lstat(name.c_str(), &info) == 0) return absl::ErrnoToStatus(EEXIST, name);
  LIVND_ASSIGN_OR_RETURN(const std::string made, MakeFolderBeside(name));
  const auto remove = absl::MakeCleanup([&made] {
    std::error_code ignored;
    std::filesystem::remove_all(made, ignored);
  });
  LIVND_RETURN_IF_ERROR(fill(made));
  LIVND_RETURN_IF_ERROR(RenameToNew(made, name));
  const size_t slash = name.rfind('/');
  return SyncFolder(slash == std::string::npos ? "." : name.substr(0, slash + 1));
}

absl::Status SyncFolder(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, path);
  const bool synced = fsync(fd) == 0;
  const int error = errno;
  close(fd);
  return synced ? absl::OkStatus() : absl::ErrnoToStatus(error, path);
}

}  // namespace livnd::io
