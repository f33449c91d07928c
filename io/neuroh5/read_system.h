// Reads a system from a NeuroH5 folder.

#ifndef LIVND_IO_NEUROH5_READ_SYSTEM_H_
#define LIVND_IO_NEUROH5_READ_SYSTEM_H_

#include <string>

#include "absl/status/statusor.h"
#include "io/system/system.h"

namespace livnd::io {

struct ReadOptions {
  // Reads the HDF5 files in the calling process. For tests and debuggers: libhdf5 1.10 can crash
  // on damaged files, so normally a forked child reads them, which only costs a copy.
  bool in_process = false;
};

// Reads DIRECTORY: graph.json, cells.h5 and connections.h5 (or graph.h5 in place of both), and
// where present mea.json, model.json, params/*.json and selection/*.json. Nothing is taken on
// trust: every pointer array is checked for order and bounds, every gid for its range, every number
// for finiteness, every declared projection for being there, and a System is returned only if all
// of it holds. Links out of an HDF5 file are never followed.
//
// Errors name the file, the path inside it, what was found and what was expected:
//   NotFound         a file, group or data set is missing, or a projection that graph.json declares
//   FailedPrecondition  a program has the file open for writing, or left it so
//   DataLoss         the file is truncated or cannot be decoded; also if HDF5 crashed on it
//   InvalidArgument  it can be read but contradicts itself, or a limit or this format version
//
// and the system's own error, with its text, for what cannot be opened or read.
//
// Limits (io/system/limits.h) bound memory before anything is allocated from a stored size, and
// time. Thread-safe.
absl::StatusOr<System> ReadSystem(const std::string& directory, const ReadOptions& options = {});

}  // namespace livnd::io

#endif  // LIVND_IO_NEUROH5_READ_SYSTEM_H_
