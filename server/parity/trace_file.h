// Numbers of an oracle trace (HDF5, written by h5py).
#ifndef LIVND_SERVER_PARITY_TRACE_FILE_H_
#define LIVND_SERVER_PARITY_TRACE_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace livnd::server {

// An array of at most two axes, C order; a vector has num_columns 1.
struct TraceArray {
  int64_t num_rows = 0;
  int64_t num_columns = 0;
  std::vector<double> values;
};

// Reads data sets of one file. Thread-compatible; movable, not copyable.
class TraceFile {
 public:
  // NotFound or DataLoss names the file.
  static absl::StatusOr<TraceFile> Open(const std::string& path);
  TraceFile(TraceFile&& other) noexcept;
  ~TraceFile();

  const std::string& path() const { return path_; }

  // DataLoss names file and data set if it is missing, not numbers, or larger than 1 GiB.
  absl::StatusOr<TraceArray> Read(const std::string& name) const;

 private:
  TraceFile(std::string path, int64_t id) : path_(std::move(path)), id_(id) {}
  std::string path_;
  int64_t id_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_PARITY_TRACE_FILE_H_
