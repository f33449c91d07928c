#include "server/commands/flag_value.h"

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/json/json_view.h"
#include "io/json/yaml.h"

namespace livnd::server {

absl::StatusOr<io::Json> FlagValue(const std::string& name, const std::string& text) {
  return io::ParseYaml(absl::StrCat("--", name), text);
}

absl::StatusOr<io::Json> FlagList(const std::string& name, const std::string& text) {
  if (text.find('[') != text.npos) return FlagValue(name, text);
  return FlagValue(name, absl::StrCat("[", text, "]"));
}

}  // namespace livnd::server
