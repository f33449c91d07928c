#include "io/recording/hdf5/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"

namespace livnd::io::hdf5 {

absl::StatusOr<std::unique_ptr<OutputFile>> OutputFile::Create(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot be made"));
  return std::unique_ptr<OutputFile>(new OutputFile(path, fd));
}

absl::StatusOr<std::unique_ptr<OutputFile>> OutputFile::Open(const std::string& path,
                                                             uint64_t num_bytes) {
  const int fd = open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot be opened"));
  std::unique_ptr<OutputFile> file(new OutputFile(path, fd));
  if (ftruncate(fd, static_cast<off_t>(num_bytes)) != 0) return file->Failed("cut");
  file->length_ = num_bytes;
  return file;
}

OutputFile::~OutputFile() { close(fd_); }

absl::Status OutputFile::Failed(absl::string_view what) const {
  return absl::ErrnoToStatus(errno, absl::StrCat(path_, ": cannot be ", what));
}

absl::Status OutputFile::Write(uint64_t address, absl::string_view bytes) {
  length_ = std::max(length_, address + bytes.size());
  while (!bytes.empty()) {
    const ssize_t written = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(address));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failed("written");
    bytes.remove_prefix(static_cast<size_t>(written));
    address += static_cast<uint64_t>(written);
  }
  return absl::OkStatus();
}

absl::Status OutputFile::Lengthen(uint64_t num_bytes) {
  if (num_bytes <= length_) return absl::OkStatus();
  if (ftruncate(fd_, static_cast<off_t>(num_bytes)) != 0) return Failed("lengthened");
  length_ = num_bytes;
  return absl::OkStatus();
}

absl::Status OutputFile::Sync() {
  return fdatasync(fd_) == 0 ? absl::OkStatus() : Failed("synced");
}

absl::Status OutputFile::Rename(const std::string& path) {
  int failed = renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE);
  if (failed != 0 && errno == EINVAL) {  // a file system that cannot do both at once
    if (access(path.c_str(), F_OK) == 0) {
      errno = EEXIST;
    } else {
      failed = rename(path_.c_str(), path.c_str());
    }
  }
  if (failed != 0) return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot be made"));
  path_ = path;
  return absl::OkStatus();
}

absl::Status OutputFile::SyncFolder() {
  const size_t slash = path_.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  const absl::Status status = synced ? absl::OkStatus() : Failed("synced");
  if (fd >= 0) close(fd);
  return status;
}

void OutputFile::Remove() { unlink(path_.c_str()); }

}  // namespace livnd::io::hdf5
