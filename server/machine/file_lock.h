// One process at a time, by a file.
#ifndef LIVND_SERVER_MACHINE_FILE_LOCK_H_
#define LIVND_SERVER_MACHINE_FILE_LOCK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace livnd::server {

// Holds an exclusive flock on a file that it makes, and removes the file when it lets go. The
// kernel drops the lock when the process ends in whatever way, so a file left behind by a killed
// process locks nobody out.
class FileLock {
 public:
  // FailedPrecondition, naming the process, if another one holds it; otherwise the system's error.
  static absl::StatusOr<std::unique_ptr<FileLock>> Acquire(const std::string& path);

  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  FileLock(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  const std::string path_;
  const int fd_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_FILE_LOCK_H_
