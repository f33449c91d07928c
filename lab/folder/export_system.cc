#include "lab/folder/export_system.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/neuroh5/new_file.h"
#include "io/neuroh5/read_system.h"
#include "io/system/system.h"

namespace livnd::lab {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;

bool Exists(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0;
}

// What makes up a system that has been read, by name.
std::vector<std::string> FilesOf(const io::System& system, bool bare) {
  std::vector<std::string> names = {"graph.json"};
  const auto add = [&](const std::string& name) {
    if (Exists(absl::StrCat(system.directory, "/", name))) names.push_back(name);
  };
  for (const std::string& path : {system.cells_path, system.connections_path}) {
    const std::string name = path.substr(path.rfind('/') + 1);
    if (name != names.back()) names.push_back(name);  // one graph.h5 may stand for both
  }
  add("mea.json");
  if (bare) return names;
  for (const char* name : {"lightarray.json", "model.json", "provenance.json"}) add(name);
  for (const auto& [name, document] : system.params) add(absl::StrCat("params/", name, ".json"));
  for (const auto& [name, document] : system.selections) {
    add(absl::StrCat("selection/", name, ".json"));
  }
  return names;
}

absl::StatusOr<uint64_t> CopyFile(const std::string& from, const std::string& to,
                                  const std::function<bool()>& stop) {
  const int in = open(from.c_str(), O_RDONLY | O_CLOEXEC);
  if (in < 0) return absl::ErrnoToStatus(errno, from);
  const auto close_in = absl::MakeCleanup([in] { close(in); });
  const int out = open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (out < 0) return absl::ErrnoToStatus(errno, to);
  const auto close_out = absl::MakeCleanup([out] { close(out); });
  std::vector<char> piece(kPieceBytes);
  uint64_t num_bytes = 0;
  while (true) {
    if (stop && stop()) return absl::CancelledError("interrupted");
    const ssize_t got = read(in, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::ErrnoToStatus(errno, from);
    if (got == 0) break;
    for (ssize_t done = 0; done < got;) {
      const ssize_t put = write(out, piece.data() + done, static_cast<size_t>(got - done));
      if (put < 0 && errno != EINTR) return absl::ErrnoToStatus(errno, to);
      if (put > 0) done += put;
    }
    num_bytes += static_cast<uint64_t>(got);
  }
  if (fsync(out) != 0) return absl::ErrnoToStatus(errno, to);
  return num_bytes;
}

}  // namespace

absl::StatusOr<std::vector<ExportedFile>> ExportSystem(const std::string& from,
                                                       const std::string& to,
                                                       const ExportOptions& options) {
  LIVND_ASSIGN_OR_RETURN(const io::System system, io::ReadSystem(from));
  std::vector<ExportedFile> files;
  LIVND_RETURN_IF_ERROR(io::MakeNewFolder(to, [&](const std::string& made) -> absl::Status {
    std::map<std::string, bool> folders;
    for (const std::string& name : FilesOf(system, options.bare)) {
      const size_t slash = name.find('/');
      const std::string folder = slash == name.npos ? "" : name.substr(0, slash);
      if (!folder.empty() && !folders[folder]) {
        const std::string path = absl::StrCat(made, "/", folder);
        if (mkdir(path.c_str(), 0777) != 0) return absl::ErrnoToStatus(errno, path);
        folders[folder] = true;
      }
      LIVND_ASSIGN_OR_RETURN(
          const uint64_t num_bytes,
          CopyFile(absl::StrCat(from, "/", name), absl::StrCat(made, "/", name), options.stop));
      files.push_back({name, num_bytes});
    }
    // The files of `from` may have changed since.
    LIVND_RETURN_IF_ERROR(io::ReadSystem(made).status());
    for (const auto& [folder, there] : folders) {
      LIVND_RETURN_IF_ERROR(io::SyncFolder(absl::StrCat(made, "/", folder)));
    }
    LIVND_RETURN_IF_ERROR(io::SyncFolder(made));
    return options.stop && options.stop() ? absl::CancelledError("interrupted") : absl::OkStatus();
  }));
  return files;
}

}  // namespace livnd::lab
