// YAML text as a Json, so that one reader takes either.

#ifndef LIVND_IO_JSON_YAML_H_
#define LIVND_IO_JSON_YAML_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "io/json/json_file.h"

namespace livnd::io {

// Parses the one document of a text; an empty one is null. Scalars without quotes are what the core schema of
// YAML 1.2 makes of them: null, true and false, integers, floats (.inf and .nan too, which JsonView refuses), else
// text. JSON is YAML, so this takes JSON as well, but for its limits and its errors ParseJson is meant for that.
// A field error below "NAME:LINE": what is no YAML or exceeds the limits, anchors and aliases (a text of some hundred
// bytes may stand for gigabytes), tags, a key twice or one that is no scalar, more than one document.
absl::StatusOr<Json> ParseYaml(absl::string_view name, absl::string_view text,
                               const JsonLimits& limits = {});

}  // namespace livnd::io

#endif  // LIVND_IO_JSON_YAML_H_
