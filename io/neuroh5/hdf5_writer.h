// An HDF5 file that is being written, in the few shapes that NeuroH5 uses and its readers know: the
// library's oldest format, groups, and one-dimensional data sets in chunks, shuffled and deflated.
#ifndef LIVND_IO_NEUROH5_HDF5_WRITER_H_
#define LIVND_IO_NEUROH5_HDF5_WRITER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "io/neuroh5/hdf5_file.h"
#include "io/system/system.h"

namespace livnd::io {

// The file is made in memory, and goes to the disk as a whole when it is closed: the library, where a
// write fails, keeps objects that it can neither close nor forget, and crashes over them when the
// process ends.
//
// Movable, not thread-safe. An error of any call says which file and which object; the file is then of
// no use.
class Hdf5Writer {
 public:
  static absl::StatusOr<Hdf5Writer> Create(const Hdf5Session& session, const std::string& path);

  // A data set at an inner path, whose groups are made. Not of an element that is there.
  absl::Status Write(const std::string& inner, const std::vector<uint8_t>& values);
  absl::Status Write(const std::string& inner, const std::vector<int32_t>& values);
  absl::Status Write(const std::string& inner, const std::vector<uint32_t>& values);
  absl::Status Write(const std::string& inner, const std::vector<uint64_t>& values);
  absl::Status Write(const std::string& inner, const std::vector<float>& values);
  absl::Status Write(const std::string& inner, const std::vector<double>& values);

  // /H5Types: the populations' labels, where each begins and how many cells it has, and between which
  // there are projections, (pre, post) by index.
  absl::Status WriteTypes(const std::vector<Population>& populations,
                          const std::vector<std::pair<int, int>>& projections);

  // Writes the file and waits for the disk. Once, and last. AlreadyExists: there is something of this
  // name; or the system's own error (no space, say), and nothing is left of the file.
  absl::Status Close();

 private:
  Hdf5Writer(const Hdf5Session& session, std::string path, Hdf5Id file)
      : session_(&session), path_(std::move(path)), file_(std::move(file)) {}

  absl::Status WriteElements(const std::string& inner, hid_t file_type, hid_t memory_type,
                             const void* values, size_t size);
  absl::Status Failed(absl::string_view inner) const;

  const Hdf5Session* session_;
  std::string path_;
  Hdf5Id file_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_NEUROH5_HDF5_WRITER_H_
