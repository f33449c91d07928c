// The systems that a server was given.
#ifndef LIVND_SERVER_MACHINE_SYSTEMS_FOLDER_H_
#define LIVND_SERVER_MACHINE_SYSTEMS_FOLDER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "io/system/system.h"

namespace livnd::server {

// Reads every system below a folder: each subfolder with a graph.json. A system that cannot be read
// is reported in the log and left out, so that one damaged file does not take the others away. In
// order of names. NotFound if the folder is missing or holds no readable system.
absl::StatusOr<std::vector<std::shared_ptr<const io::System>>> ReadSystemsFolder(
    const std::string& folder);

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_SYSTEMS_FOLDER_H_
