#include "io/json/json_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"

namespace livnd::io {
namespace {

absl::Status Refused(absl::string_view name, absl::string_view value, absl::string_view accepted) {
  return InFile(name, MakeFieldError("", value, accepted));
}

// Depth and commas, before the parser builds anything. Text that is not JSON may pass.
absl::Status CheckShape(absl::string_view name, absl::string_view text, const JsonLimits& limits) {
  struct Level {
    bool is_object;
    int num_members;
  };
  std::vector<Level> levels;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      levels.push_back({c == '{', 1});
      if (levels.size() > static_cast<size_t>(limits.max_depth)) {
        return Refused(name, absl::StrCat("nested deeper than ", limits.max_depth, " levels"),
                       "JSON of fewer levels");
      }
    } else if ((c == '}' || c == ']') && !levels.empty()) {
      levels.pop_back();
    } else if (c == ',' && !levels.empty() && levels.back().is_object) {
      if (++levels.back().num_members > limits.max_members) {
        return Refused(
            name, absl::StrCat("one with an object of more than ", limits.max_members, " members"),
            "objects of fewer members");
      }
    }
  }
  return absl::OkStatus();
}

absl::Status TooLarge(absl::string_view name, const JsonLimits& limits) {
  return Refused(name, "larger", absl::StrCat("at most ", limits.max_bytes, " bytes"));
}

}  // namespace

absl::StatusOr<Json> ParseJson(absl::string_view name, absl::string_view text,
                               const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) return TooLarge(name, limits);
  if (absl::Status status = CheckShape(name, text, limits); !status.ok()) return status;
  Json json = Json::parse(text.begin(), text.end(), /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return Refused(name, "not JSON", "JSON");
  return json;
}

std::string JsonText(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool IsUtf8(const std::string& text) {
  try {
    Json(text).dump();
  } catch (const Json::type_error&) {
    return false;
  }
  return true;
}

absl::StatusOr<Json> ReadJsonFile(const std::string& path, const JsonLimits& limits) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return absl::ErrnoToStatus(errno, path);
  if (!S_ISREG(info.st_mode)) {
    return Refused(path, "not a regular file", "a regular file");
  }
  if (static_cast<size_t>(info.st_size) > limits.max_bytes) return TooLarge(path, limits);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, path);
  std::string text(static_cast<size_t>(info.st_size), '\0');
  absl::Status status;
  for (size_t done = 0; done < text.size() && status.ok();) {
    const ssize_t got = read(fd, text.data() + done, text.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) status = absl::ErrnoToStatus(errno, path);
    if (got == 0) status = absl::DataLossError(absl::StrCat(path, ": became shorter while read"));
    if (got > 0) done += static_cast<size_t>(got);
  }
  close(fd);
  if (!status.ok()) return status;
  return ParseJson(path, text, limits);
}

}  // namespace livnd::io
