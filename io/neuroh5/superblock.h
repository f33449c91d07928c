// What an HDF5 file says of itself before the library looks at it.

#ifndef LIVND_IO_NEUROH5_SUPERBLOCK_H_
#define LIVND_IO_NEUROH5_SUPERBLOCK_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace livnd::io {

struct Superblock {
  bool found = false;             // whether the file is HDF5 at all
  bool open_for_writing = false;  // the mark that a writer sets, and takes away when it closes
};

// HDF5 keeps the system's reason to itself when it cannot open a file: this is that reason, or what
// the file's first bytes say.
absl::StatusOr<Superblock> ReadSuperblock(const std::string& path, uint64_t num_bytes);

}  // namespace livnd::io

#endif  // LIVND_IO_NEUROH5_SUPERBLOCK_H_
