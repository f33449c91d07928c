// Numbers of an oracle trace (HDF5, as h5py writes it).
#ifndef LIVND_LAB_PARITY_TRACE_FILE_H_
#define LIVND_LAB_PARITY_TRACE_FILE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace livnd::lab {

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

// Writes data sets of one file. Thread-compatible; movable, not copyable.
class TraceFileWriter {
 public:
  // Replaces a file that is there. Unavailable names the file.
  static absl::StatusOr<TraceFileWriter> Create(const std::string& path);
  TraceFileWriter(TraceFileWriter&& other) noexcept;
  ~TraceFileWriter();

  // One axis. Unavailable names file and data set.
  absl::Status Write(const std::string& name, const std::vector<double>& values);
  // Two axes; values.size() is num_rows * num_columns.
  absl::Status Write(const std::string& name, const TraceArray& array);
  // One axis of texts of variable length.
  absl::Status WriteStrings(const std::string& name, const std::vector<std::string>& texts);

 private:
  TraceFileWriter(std::string path, int64_t id) : path_(std::move(path)), id_(id) {}
  // `type` is that of the file, `memory_type` that of `data`: HDF5 identifiers.
  absl::Status Write(const std::string& name, const std::vector<uint64_t>& size, int64_t type,
                     int64_t memory_type, const void* data);
  std::string path_;
  int64_t id_;
};

}  // namespace livnd::lab

#endif  // LIVND_LAB_PARITY_TRACE_FILE_H_
