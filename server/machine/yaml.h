// Files of YAML that an operator writes.
#ifndef LIVND_SERVER_MACHINE_YAML_H_
#define LIVND_SERVER_MACHINE_YAML_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "yaml-cpp/yaml.h"

namespace livnd::server {

// Calls `take` for every entry of the one map that the text of `path` is, in its order; not at all where
// it says nothing. A field error names "PATH:LINE": what is no YAML, more than one document, no map
// (`what`: "a map of settings, name: value"), a key twice, and what `take` says.
absl::Status ForEachEntry(
    const std::string& path, const std::string& text, absl::string_view what,
    absl::FunctionRef<absl::Status(const YAML::Node& key, const YAML::Node& value)> take);

// What the core schema of YAML 1.2 makes of characters without quotes; kText of those with, kOther of what
// is no scalar or has a tag.
enum class YamlKind { kNull, kBool, kNumber, kText, kOther };
YamlKind KindOf(const YAML::Node& node);

// A value as an error shows it: one short line.
std::string ShownValue(const YAML::Node& node);
std::string ShownText(absl::string_view text);

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_YAML_H_
