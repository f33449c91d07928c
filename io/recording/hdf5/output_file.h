// A file that is written at any place.
#ifndef LIVND_IO_RECORDING_HDF5_OUTPUT_FILE_H_
#define LIVND_IO_RECORDING_HDF5_OUTPUT_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace livnd::io::hdf5 {

// Owns the descriptor. Thread-compatible. Errors are the system's, and name the path.
class OutputFile {
 public:
  // AlreadyExists: something is there.
  static absl::StatusOr<std::unique_ptr<OutputFile>> Create(const std::string& path);
  // One that is there, without what is behind its first num_bytes bytes.
  static absl::StatusOr<std::unique_ptr<OutputFile>> Open(const std::string& path,
                                                          uint64_t num_bytes);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  absl::Status Write(uint64_t address, absl::string_view bytes);
  // Makes the file at least so long; what nobody wrote is zeros.
  absl::Status Lengthen(uint64_t num_bytes);
  // What was written until now survives the machine.
  absl::Status Sync();
  // Gives the file another name in its folder, where nothing may be.
  absl::Status Rename(const std::string& path);
  // The file's name survives the machine.
  absl::Status SyncFolder();
  void Remove();

 private:
  OutputFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  absl::Status Failed(absl::string_view what) const;

  std::string path_;
  const int fd_;
  uint64_t length_ = 0;
};

}  // namespace livnd::io::hdf5

#endif  // LIVND_IO_RECORDING_HDF5_OUTPUT_FILE_H_
