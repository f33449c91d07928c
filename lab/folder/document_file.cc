#include "lab/folder/document_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/neuroh5/new_file.h"

namespace livnd::lab {
namespace {

absl::Status Taken(const std::string& path) {
  return InFile(path, MakeFieldError("", "there already", "no such file, or --overwrite"));
}

// Gives a file its name.
absl::Status Name(const std::string& from, const std::string& to, bool overwrite) {
  if (overwrite) {
    return rename(from.c_str(), to.c_str()) == 0 ? absl::OkStatus()
                                                 : absl::ErrnoToStatus(errno, to);
  }
  // Unlike rename, a link takes no name that somebody has.
  if (link(from.c_str(), to.c_str()) != 0) {
    return errno == EEXIST ? Taken(to) : absl::ErrnoToStatus(errno, to);
  }
  unlink(from.c_str());
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteDocument(const io::Json& document, const std::string& path,
                           const WriteOptions& options) {
  struct stat info;
  if (!options.overwrite && lstat(path.c_str(), &info) == 0) return Taken(path);
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const bool made_folder = mkdir(folder.c_str(), 0777) == 0;
  if (!made_folder && errno != EEXIST) return absl::ErrnoToStatus(errno, folder);
  auto remove_folder = absl::MakeCleanup([&] {
    if (made_folder) rmdir(folder.c_str());  // unless there is something in it
  });
  static std::atomic<int> counter{0};
  // Not *.json, which a reader of the folder would take.
  const std::string beside = absl::StrCat(path, ".", getpid(), "-", ++counter);
  const auto remove = absl::MakeCleanup([&] { unlink(beside.c_str()); });
  LIVND_RETURN_IF_ERROR(io::WriteNewFile(
      beside, document.dump(1, ' ', false, io::Json::error_handler_t::replace) + "\n"));
  if (options.stop && options.stop()) return absl::CancelledError("interrupted");
  LIVND_RETURN_IF_ERROR(Name(beside, path, options.overwrite));
  std::move(remove_folder).Cancel();
  return io::SyncFolder(folder);
}

}  // namespace livnd::lab
