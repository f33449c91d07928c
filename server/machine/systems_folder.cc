#include "server/machine/systems_folder.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "io/neuroh5/read_system.h"
#include "io/system/truth.h"
#include "server/machine/log.h"

namespace livnd::server {
namespace {

namespace fs = std::filesystem;

// A system's files lie in its folder and in folders of that; a stranger may have put more there.
constexpr int kMaxDepth = 3;
constexpr size_t kMaxFiles = 10'000;

// What changes when a file of the system does.
std::string LooksOf(const std::string& path) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::recursive_directory_iterator it(path, error), end; !error && it != end;
       it.increment(error)) {
    if (it.depth() >= kMaxDepth) it.disable_recursion_pending();
    if (files.size() >= kMaxFiles) break;
    struct stat about = {};
    if (stat(it->path().c_str(), &about) != 0) continue;
    files.push_back(absl::StrCat(it->path().string(), " ", about.st_ino, " ", about.st_size, " ",
                                 about.st_mtim.tv_sec, ".", about.st_mtim.tv_nsec));
  }
  std::sort(files.begin(), files.end());
  return absl::StrJoin(files, "\n");
}

// Subfolders that mean to be systems, and how they look, by path.
absl::StatusOr<std::map<std::string, std::string>> LookInto(const std::string& folder) {
  std::map<std::string, std::string> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (!fs::exists(it->path() / "graph.json", ignored)) continue;
    found[it->path().string()] = LooksOf(it->path().string());
  }
  if (!error) return found;
  return absl::NotFoundError(
      absl::StrCat("cannot read the folder of systems ", folder, ": ", error.message()));
}

absl::StatusOr<FoundSystem> ReadFound(const std::string& path) {
  LIVND_ASSIGN_OR_RETURN(io::System system, io::ReadSystem(path));
  FoundSystem found;
  LIVND_ASSIGN_OR_RETURN(found.sha256, io::SystemSha256(system));
  found.system = std::make_shared<const io::System>(std::move(system));
  return found;
}

}  // namespace

bool SystemsFolder::Read(const std::string& path, Candidate& candidate) {
  const absl::StatusOr<FoundSystem> found = ReadFound(path);
  // What changes while it is read is read again; want of processes or memory says nothing of the files.
  if (LooksOf(path) != candidate.looks) return false;
  if (!absl::IsResourceExhausted(found.status())) candidate.was_read = candidate.looks;
  if (found.ok()) {
    candidate.found = *found;
    return true;
  }
  LogLine(Severity::kError,
          candidate.found.system == nullptr ? "system left out" : "system stays as it was",
          {{"path", path}, {"error", found.status().message()}});
  return false;
}

absl::Status SystemsFolder::ReadAll() {
  using Looks = std::map<std::string, std::string>;
  LIVND_ASSIGN_OR_RETURN(Looks found, LookInto(folder_));
  bool any = false;
  for (auto& [path, looks] : found) {
    Candidate& candidate = candidates_[path];
    candidate.looks = std::move(looks);
    any = Read(path, candidate) || any;
  }
  if (any) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat("no readable system in ", folder_,
                                          " (a system is a subfolder with a graph.json)"));
}

bool SystemsFolder::Look() {
  absl::StatusOr<std::map<std::string, std::string>> found = LookInto(folder_);
  if (!found.ok()) {
    if (!is_away_) LogWarning(found.status().message(), "; the systems stay as they were");
    is_away_ = true;
    return false;
  }
  is_away_ = false;
  bool changed = false;
  for (auto it = candidates_.begin(); it != candidates_.end();) {
    const auto here = it++;
    if (found->count(here->first) > 0) continue;
    if (here->second.found.system != nullptr) {
      changed = true;
      LogLine(Severity::kInfo, "system removed", {{"path", here->first}});
    }
    candidates_.erase(here);
  }
  for (auto& [path, looks] : *found) {
    Candidate& candidate = candidates_[path];
    const bool rests = candidate.looks == looks;
    candidate.looks = std::move(looks);
    if (!rests || candidate.looks == candidate.was_read) continue;
    const bool is_new = candidate.found.system == nullptr;
    if (!Read(path, candidate)) continue;
    changed = true;
    LogLine(Severity::kInfo, is_new ? "system added" : "system changed", {{"path", path}});
  }
  return changed;
}

std::vector<FoundSystem> SystemsFolder::systems() const {
  std::vector<FoundSystem> systems;
  for (const auto& [path, candidate] : candidates_) {
    if (candidate.found.system != nullptr) systems.push_back(candidate.found);
  }
  return systems;
}

}  // namespace livnd::server
