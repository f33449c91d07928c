// YAML text as a Json, so that one reader takes either.

#ifndef LIVND_IO_JSON_YAML_H_
#define LIVND_IO_JSON_YAML_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "io/json/json_file.h"

namespace livnd::io {

// What stands for `!include TEXT`, or why nothing can.
using YamlInclude = std::function<absl::StatusOr<Json>(const std::string& text)>;

// Parses the one document of a text; an empty one is null. Scalars without quotes are what the core schema of
// YAML 1.2 makes of them: null, true and false, integers, floats (.inf and .nan too, which JsonView refuses), else
// text. JSON is YAML, so this takes JSON as well, but for its limits and its errors ParseJson is meant for that.
// A field error below "NAME:LINE": what is no YAML or exceeds the limits, text that is no UTF-8 (comments may be), anchors and aliases (a text of some hundred
// bytes may stand for gigabytes), tags but `!include` where `include` says what that is, a key twice or one that is no
// scalar, more than one document. An error of `include` without a file is about the line.
absl::StatusOr<Json> ParseYaml(absl::string_view name, absl::string_view text,
                               const JsonLimits& limits = {}, const YamlInclude& include = nullptr);

struct YamlFileLimits {
  JsonLimits file;       // of each file
  int max_files = 64;    // in all, each as often as it is included
  int max_included = 8;  // files within files
};

// Reads a regular file and those that it includes:
//
//   Cell Types: !include cell_types/all.yml
//
// An included file is named by a relative path from the folder of the file that names it, and lies in that folder or
// below it, links followed. All files together may have as many bytes as one. Errors tell the file that they are about,
// and of an include its line.
absl::StatusOr<Json> ReadYamlFile(const std::string& path, const YamlFileLimits& limits = {});

}  // namespace livnd::io

#endif  // LIVND_IO_JSON_YAML_H_
