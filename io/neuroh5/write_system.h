// Writes a system as a NeuroH5 folder.
#ifndef LIVND_IO_NEUROH5_WRITE_SYSTEM_H_
#define LIVND_IO_NEUROH5_WRITE_SYSTEM_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "io/json/json_file.h"
#include "io/system/system.h"

namespace livnd::io {

// What a folder has beside the system that is in it.
struct SystemExtras {
  // Merged into graph.json (RFC 7396), where livnd's reader passes over it.
  Json graph = Json::object();
  // Documents by file name.
  std::map<std::string, Json> files;
  // By population, one number a cell: livn's Region/interior in cells.h5.
  std::map<std::string, std::vector<uint8_t>> interior;
  // True: give up. Asked between data sets.
  std::function<bool()> stop;
};

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
// InvalidArgument (the system contradicts itself: what, and where), Cancelled, the system's own error with the
// file for what cannot be written. Thread-safe.
absl::Status WriteSystem(const System& system, const std::string& directory,
                         const SystemExtras& extras = {});

}  // namespace livnd::io

#endif  // LIVND_IO_NEUROH5_WRITE_SYSTEM_H_
