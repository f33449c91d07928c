#include "server/machine/systems_folder.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "io/neuroh5/read_system.h"
#include "server/machine/log.h"

namespace livnd::server {
namespace {

namespace fs = std::filesystem;

// Subfolders that mean to be systems, by name.
absl::StatusOr<std::vector<std::string>> Candidates(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (fs::exists(it->path() / "graph.json", ignored)) found.push_back(it->path().string());
  }
  if (error) {
    return absl::NotFoundError(
        absl::StrCat("cannot read the folder of systems ", folder, ": ", error.message()));
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

absl::StatusOr<std::vector<std::shared_ptr<const io::System>>> ReadSystemsFolder(
    const std::string& folder) {
  absl::StatusOr<std::vector<std::string>> candidates = Candidates(folder);
  if (!candidates.ok()) return candidates.status();
  std::vector<std::shared_ptr<const io::System>> systems;
  for (const std::string& path : *candidates) {
    absl::StatusOr<io::System> system = io::ReadSystem(path);
    if (system.ok()) {
      systems.push_back(std::make_shared<const io::System>(*std::move(system)));
    } else {
      LogLine(Severity::kError, "system left out",
              {{"path", path}, {"error", system.status().message()}});
    }
  }
  if (systems.empty()) {
    return absl::NotFoundError(absl::StrCat("no readable system in ", folder,
                                            " (a system is a subfolder with a graph.json)"));
  }
  return systems;
}

}  // namespace livnd::server
