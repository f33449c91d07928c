#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/json/yaml.h"

namespace livnd::io {
namespace {

namespace fs = std::filesystem;

// One reading of a file with all that it includes.
class Reader {
 public:
  explicit Reader(const YamlFileLimits& limits)
      : limits_(limits), bytes_left_(limits.file.max_bytes) {}

  absl::StatusOr<Json> Read(const std::string& path, int depth) {
    if (++num_files_ > limits_.max_files) {
      return InFile(path, MakeFieldError("", "one file more",
                                         absl::StrCat("at most ", limits_.max_files, " files")));
    }
    LIVND_ASSIGN_OR_RETURN(const std::string text, Bytes(path));
    return ParseYaml(
        path, text, limits_.file, [&](const std::string& name) -> absl::StatusOr<Json> {
          if (depth == limits_.max_included) {
            return MakeFieldError("", absl::StrCat("an include within ", depth, " others"),
                                  "fewer: do these include each other?");
          }
          LIVND_ASSIGN_OR_RETURN(const std::string found, Find(path, name));
          return Read(found, depth + 1);
        });
  }

 private:
  absl::StatusOr<std::string> Bytes(const std::string& path) {
    const auto fault = [&](absl::string_view value) {
      return InFile(path, MakeFieldError(
                              "", value,
                              absl::StrCat("a file of YAML that can be read, of at most ",
                                           limits_.file.max_bytes, " bytes with all it includes")));
    };
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return fault(std::strerror(errno));
    const auto closed = absl::MakeCleanup([fd] { close(fd); });
    struct stat about;
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) return fault("no regular file");
    std::string text;
    while (true) {
      char piece[4096];
      const ssize_t got = read(fd, piece, sizeof(piece));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fault(std::strerror(errno));
      if (got == 0) break;
      if (static_cast<size_t>(got) > bytes_left_) return fault("larger than that");
      bytes_left_ -= static_cast<size_t>(got);
      text.append(piece, static_cast<size_t>(got));
    }
    return text;
  }

  // The path of what a file includes, if it is where it may be.
  static absl::StatusOr<std::string> Find(const std::string& from, const std::string& name) {
    const auto refused = [&](absl::string_view why) {
      return MakeFieldError("", absl::StrCat("!include ", name.substr(0, 200), why),
                            "the relative path of a file in the same folder or below it");
    };
    const fs::path relative(name);
    const bool goes_up = std::any_of(relative.begin(), relative.end(),
                                     [](const fs::path& part) { return part == ".."; });
    if (name.empty() || name.find('\0') != name.npos || relative.is_absolute() || goes_up) {
      return refused("");
    }
    const fs::path folder = fs::path(from).parent_path();
    std::error_code error;
    const fs::path root = fs::canonical(folder.empty() ? fs::path(".") : folder, error);
    if (error) return refused(absl::StrCat(" (", error.message(), ")"));
    const fs::path found = fs::canonical(root / relative, error);
    if (error) return refused(absl::StrCat(" (", error.message(), ")"));
    const auto [end, at] = std::mismatch(root.begin(), root.end(), found.begin(), found.end());
    if (end != root.end()) return refused(" (a link out of the folder)");
    return (folder / relative).string();
  }

  const YamlFileLimits limits_;
  size_t bytes_left_;
  int num_files_ = 0;
};

}  // namespace

absl::StatusOr<Json> ReadYamlFile(const std::string& path, const YamlFileLimits& limits) {
  return Reader(limits).Read(path, 0);
}

}  // namespace livnd::io
