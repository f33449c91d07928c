// A file that is read at any place, and may grow meanwhile.
#ifndef LIVND_IO_RECORDING_HDF5_INPUT_FILE_H_
#define LIVND_IO_RECORDING_HDF5_INPUT_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace livnd::io::hdf5 {

// Owns the descriptor. Thread-safe.
class InputFile {
 public:
  // The system's error, with the path; InvalidArgument: not a regular file.
  static absl::StatusOr<std::unique_ptr<InputFile>> Open(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  absl::StatusOr<uint64_t> Length() const;
  // All of so many bytes. DataLoss: the file ends before.
  absl::StatusOr<std::string> Read(uint64_t address, uint64_t num_bytes) const;

 private:
  explicit InputFile(int fd) : fd_(fd) {}

  const int fd_;
};

}  // namespace livnd::io::hdf5

#endif  // LIVND_IO_RECORDING_HDF5_INPUT_FILE_H_
