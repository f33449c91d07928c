// Copies of a system's folder.
#ifndef LIVND_LAB_FOLDER_EXPORT_SYSTEM_H_
#define LIVND_LAB_FOLDER_EXPORT_SYSTEM_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace livnd::lab {

struct ExportOptions {
  // Only what livn's own export copies: cells.h5, connections.h5, graph.json, mea.json.
  bool bare = false;
  std::function<bool()> stop;  // true: give up
};

struct ExportedFile {
  std::string name;  // below the folder
  uint64_t num_bytes = 0;
};

// Makes the folder `to` with what makes up the system in `from`: graph.json, cells.h5 and connections.h5 or graph.h5,
// and what is there of mea.json, lightarray.json, model.json, provenance.json, params/*.json, selection/*.json. The
// folder has its name only once all of it is on the disk and has been read as a system. Links are followed.
//
// Errors: io::ReadSystem's about `from`, AlreadyExists, Cancelled, the system's own with the file. Nothing is left
// then. Thread-safe.
absl::StatusOr<std::vector<ExportedFile>> ExportSystem(const std::string& from,
                                                       const std::string& to,
                                                       const ExportOptions& options = {});

}  // namespace livnd::lab

#endif  // LIVND_LAB_FOLDER_EXPORT_SYSTEM_H_
