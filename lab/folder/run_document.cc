#include "lab/folder/run_document.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/json/json_view.h"
#include "io/system/truth.h"

namespace livnd::lab {

namespace {

using io::Json;
using io::JsonView;

struct Difference {
  std::string member, there, here;
};

std::string Shown(const Json& document, const std::string& key) {
  return document.contains(key) ? JsonView(document[key], key).Shown() : "absent";
}

// Of two objects.
std::optional<Difference> FirstDifference(const Json& there, const Json& here,
                                          absl::Span<const absl::string_view> free) {
  for (const Json* document : {&here, &there}) {
    for (const auto& [key, value] : document->items()) {
      if (std::find(free.begin(), free.end(), key) != free.end()) continue;
      const bool both = there.contains(key) && here.contains(key);
      if (both && there[key] == here[key]) continue;
      std::optional<Difference> inner;
      if (both && there[key].is_object() && here[key].is_object()) {
        inner = FirstDifference(there[key], here[key], {});  // none: another order
      }
      if (!inner.has_value()) return Difference{key, Shown(there, key), Shown(here, key)};
      inner->member = absl::StrCat(key, ".", inner->member);
      return inner;
    }
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<Json> SystemFiles(const io::System& system) {
  Json files = Json::object();
  const std::string& folder = system.directory;
  for (const std::string& path :
       {absl::StrCat(folder, "/graph.json"), system.cells_path, system.connections_path,
        absl::StrCat(folder, "/mea.json"), absl::StrCat(folder, "/model.json")}) {
    const absl::StatusOr<std::string> digest = io::FileSha256(path);
    if (absl::IsNotFound(digest.status())) continue;
    if (!digest.ok()) return digest.status();
    files[std::filesystem::path(path).filename().string()] = *digest;
  }
  return files;
}

absl::Status WriteWhole(const std::string& path, const std::string& text) {
  const std::string half = absl::StrCat(path, ".new");
  std::ofstream file(half, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file || std::rename(half.c_str(), path.c_str()) != 0) {
    return absl::ErrnoToStatus(errno, path);
  }
  return absl::OkStatus();
}

std::string DocumentText(const Json& document) {
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

absl::Status CheckSameRun(const std::string& path, const Json& there, const Json& here,
                          absl::Span<const absl::string_view> free, absl::string_view what,
                          absl::string_view advice) {
  const auto differs = FirstDifference(there, here, free);
  if (!differs.has_value()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(path, " is of another ", what, ": ", differs->member, " is ", differs->there,
                   " there and ", differs->here, " here; ", advice));
}

}  // namespace livnd::lab
