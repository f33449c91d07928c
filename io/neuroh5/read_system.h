// Reads a system from a NeuroH5 folder.

#ifndef LIVND_IO_NEUROH5_READ_SYSTEM_H_
#define LIVND_IO_NEUROH5_READ_SYSTEM_H_

#include <string>

#include "absl/status/statusor.h"
#include "io/neuroh5/system.h"

namespace livnd::io {

// Reads DIRECTORY: graph.json, cells.h5 and connections.h5 (or graph.h5 in place of both), and
// where present mea.json and params/*.json. Nothing is taken on trust: every pointer array is
// checked for order and bounds, every gid for its range, every number for finiteness, and a
// System is returned only if all of it holds. Links out of an HDF5 file are never followed.
//
// Errors name the file, the path inside it, what was found and what was expected:
//   NotFound         a file, group or data set is missing
//   DataLoss         the file is truncated or cannot be decoded
//   InvalidArgument  it can be read but contradicts itself, or a limit or this format version
//
// Limits (io/neuroh5/limits.h) bound memory before anything is allocated from a stored size.
// Thread-safe; HDF5 calls are serialized over the process.
absl::StatusOr<System> ReadSystem(const std::string& directory);

}  // namespace livnd::io

#endif  // LIVND_IO_NEUROH5_READ_SYSTEM_H_
