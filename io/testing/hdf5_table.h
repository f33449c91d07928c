// Tables of HDF5 files, read with the HDF5 library for tests of what writes them without it.
#ifndef LIVND_IO_TESTING_HDF5_TABLE_H_
#define LIVND_IO_TESTING_HDF5_TABLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace livnd::io {

// All rows, packed as they are stored. DataLoss: the library cannot open or read it, checksums
// included.
absl::StatusOr<std::string> ReadHdf5Table(const std::string& path, const std::string& name);

// What the library says of a file and of a table's columns.
struct Hdf5Column {
  std::string name;
  bool is_real = false;
  int64_t num_bytes = 0;  // of all its elements
  int64_t length = 1;
};
absl::StatusOr<std::vector<Hdf5Column>> Hdf5Columns(const std::string& path,
                                                    const std::string& name);
absl::StatusOr<std::vector<std::string>> Hdf5Names(const std::string& path);
// Of the root group; an integer or a text.
absl::StatusOr<int64_t> Hdf5Integer(const std::string& path, const std::string& attribute);
absl::StatusOr<std::string> Hdf5Text(const std::string& path, const std::string& attribute);

}  // namespace livnd::io

#endif  // LIVND_IO_TESTING_HDF5_TABLE_H_
