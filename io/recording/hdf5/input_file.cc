#include "io/recording/hdf5/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

#include "absl/strings/str_cat.h"

namespace livnd::io::hdf5 {

absl::StatusOr<std::unique_ptr<InputFile>> InputFile::Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot be opened"));
  std::unique_ptr<InputFile> file(new InputFile(fd));
  struct stat info;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": is not a regular file"));
  }
  return file;
}

InputFile::~InputFile() { close(fd_); }

absl::StatusOr<uint64_t> InputFile::Length() const {
  struct stat info;
  if (fstat(fd_, &info) != 0) return absl::ErrnoToStatus(errno, "the file's length");
  return static_cast<uint64_t>(info.st_size);
}

absl::StatusOr<std::string> InputFile::Read(uint64_t address, uint64_t num_bytes) const {
  if (address > INT64_MAX || num_bytes > INT64_MAX - address) {
    return absl::DataLossError("the file ends too early");
  }
  std::string bytes;
  while (bytes.size() < num_bytes) {
    // Grows with what is there: who asks may have been misled about how much that is.
    const size_t old = bytes.size();
    bytes.resize(old + std::min<uint64_t>(num_bytes - old, std::max<size_t>(old, 1 << 20)));
    for (size_t at = old; at < bytes.size();) {
      const ssize_t got =
          pread(fd_, &bytes[at], bytes.size() - at, static_cast<off_t>(address + at));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return absl::ErrnoToStatus(errno, "cannot be read");
      if (got == 0) return absl::DataLossError("the file ends too early");
      at += static_cast<size_t>(got);
    }
  }
  return bytes;
}

}  // namespace livnd::io::hdf5
