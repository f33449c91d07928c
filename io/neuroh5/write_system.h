// Writes a system as a NeuroH5 folder.
#ifndef LIVND_IO_NEUROH5_WRITE_SYSTEM_H_
#define LIVND_IO_NEUROH5_WRITE_SYSTEM_H_

#include <string>

#include "absl/status/status.h"
#include "io/system/system.h"

namespace livnd::io {

// Makes the folder DIRECTORY with graph.json, cells.h5 and connections.h5 and, as far as the system has
// them, mea.json, model.json, params/*.json and selection/*.json: what ReadSystem reads as the same
// system, and livn 2.0.0 with the same cells, synapses and edges.
//
// Edges are stored by target gid, those of a target in their order, in one block a projection: livn
// 2.0.0's own reader loses a target at the end of every block but the last. Positions are stored as 32-bit numbers,
// as NeuroH5 does, if that loses nothing. A system's `name`, `directory` and paths are not used.
//
// The folder has its name only once everything in it is on the disk and has been read again, so
// there is never half a system of that name. Errors: AlreadyExists (there is something of that name),
// InvalidArgument (the system contradicts itself: what, and where), the system's own error with the
// file for what cannot be written. Thread-safe.
absl::Status WriteSystem(const System& system, const std::string& directory);

}  // namespace livnd::io

#endif  // LIVND_IO_NEUROH5_WRITE_SYSTEM_H_
