// Values of flags that are more than a word: lists and maps, as YAML.
#ifndef LIVND_SERVER_COMMANDS_FLAG_VALUE_H_
#define LIVND_SERVER_COMMANDS_FLAG_VALUE_H_

#include <string>

#include "absl/status/statusor.h"
#include "io/json/json_file.h"

namespace livnd::server {

// What a text of YAML, or JSON, comes to; an error is about "--name".
absl::StatusOr<io::Json> FlagValue(const std::string& name, const std::string& text);

// The same of a list, whose brackets may be left out: "800, 1600".
absl::StatusOr<io::Json> FlagList(const std::string& name, const std::string& text);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_FLAG_VALUE_H_
