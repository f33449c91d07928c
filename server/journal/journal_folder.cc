#include "server/journal/journal_folder.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"

namespace livnd::server {
namespace {

constexpr absl::string_view kSuffix = ".journal";
constexpr absl::string_view kFresh = ".new";  // of what is not yet in its place

absl::StatusOr<std::vector<std::string>> FilesOf(const std::string& path) {
  DIR* const dir = opendir(path.c_str());
  if (dir == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat("cannot read ", path));
  std::vector<std::string> out;
  while (const dirent* entry = readdir(dir)) out.emplace_back(entry->d_name);
  closedir(dir);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

JournalFolder::JournalFolder(std::string path, Durability durability)
    : path_(std::move(path)),
      durability_(durability),
      sync_(durability == Durability::kPower ? std::make_unique<SyncThread>() : nullptr) {}

absl::StatusOr<std::unique_ptr<JournalFolder>> JournalFolder::Open(std::string path,
                                                                   Durability durability) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot make the folder ", path));
  }
  LIVND_ASSIGN_OR_RETURN(const std::vector<std::string> files, FilesOf(path));
  for (const std::string& file : files) {
    if (absl::EndsWith(file, kFresh)) unlink(absl::StrCat(path, "/", file).c_str());
  }
  return std::unique_ptr<JournalFolder>(new JournalFolder(std::move(path), durability));
}

absl::StatusOr<std::vector<JournalFolder::Found>> JournalFolder::List() const {
  LIVND_ASSIGN_OR_RETURN(const std::vector<std::string> files, FilesOf(path_));
  std::vector<Found> out;
  for (absl::string_view file : files) {
    if (!absl::ConsumeSuffix(&file, kSuffix)) continue;
    struct stat info;
    if (stat(PathOf(std::string(file)).c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    out.push_back({std::string(file), absl::TimeFromTimespec(info.st_mtim)});
  }
  return out;
}

std::string JournalFolder::PathOf(const std::string& session) const {
  return absl::StrCat(path_, "/", session, kSuffix);
}

std::unique_ptr<SessionJournal> JournalFolder::JournalOf(const std::string& session,
                                                         v1::JournalHead head) const {
  return std::make_unique<SessionJournal>(PathOf(session), durability_, std::move(head),
                                          sync_.get(), &writable_);
}

bool JournalFolder::CheckWritable() {
  if (writable_) return true;
  // As a journal does it, and under a name that is taken away where a crash leaves it.
  JournalFile probe(absl::StrCat(path_, "/probe.new"), durability_);
  const bool written = probe.Replace(v1::JournalHead()).ok() && probe.Reserve(1).ok();
  probe.Remove().IgnoreError();
  if (written) writable_ = true;
  return written;
}

absl::Status JournalFolder::Remove(const std::string& session) const {
  const std::string path = PathOf(session);
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "cannot remove the journal");
}

}  // namespace livnd::server
