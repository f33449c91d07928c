#include "server/commands/config_file.h"

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/nearest_name.h"
#include "base/status_macros.h"
#include "server/machine/read_file.h"
#include "server/machine/yaml.h"
#include "yaml-cpp/yaml.h"

namespace livnd::server {
namespace {

using Kind = FlagSet::Kind;

// What a setting takes, with how it is written.
std::string Accepted(const FlagSet::Flag& flag) {
  switch (flag.kind) {
    case Kind::kText:
      return absl::StrCat("text (", flag.value_name, "), in quotes where YAML takes it for more");
    case Kind::kInteger:
      return absl::StrCat(flag.accepted, ", a whole number without quotes");
    case Kind::kNumber:
      return absl::StrCat(flag.accepted, ", a number without quotes");
    case Kind::kTime:
    case Kind::kBytes:
    case Kind::kSwitch:
      return flag.accepted;
  }
  return flag.accepted;
}

// The text of a value if it is of the flag's kind.
bool IsOfKind(const FlagSet::Flag& flag, const YAML::Node& value) {
  if (!value.IsScalar() || absl::string_view(value.Scalar()).find('\0') != std::string::npos) {
    return false;
  }
  const YamlKind plain = KindOf(value);
  switch (flag.kind) {
    case Kind::kText:
      return plain == YamlKind::kText;
    case Kind::kInteger:
    case Kind::kNumber:
      return plain == YamlKind::kNumber;
    case Kind::kTime:
    case Kind::kBytes:
      return plain == YamlKind::kNumber || plain == YamlKind::kText;
    case Kind::kSwitch:
      return plain == YamlKind::kBool;
  }
  return false;
}

absl::Status UnknownKey(absl::string_view key, const FlagSet& flags) {
  std::vector<std::string> names;
  for (const FlagSet::Flag& flag : flags.flags()) {
    if (flag.name != kConfigFlag) names.push_back(flag.name);
  }
  return MakeFieldError(ShownText(key), kUnknownName, NearestAndAll(key, names));
}

absl::Status ApplySetting(const YAML::Node& key, const YAML::Node& value, const FlagSet& flags) {
  if (!key.IsScalar()) return MakeFieldError("a key", ShownValue(key), "the name of a flag");
  const FlagSet::Flag* found = nullptr;
  for (const FlagSet::Flag& flag : flags.flags()) {
    if (flag.name == key.Scalar() && flag.name != kConfigFlag) found = &flag;
  }
  if (found == nullptr) return UnknownKey(absl::string_view(key.Scalar()).substr(0, 200), flags);
  const std::string text = value.IsScalar() ? value.Scalar() : "";
  const std::string as_flag = found->kind == Kind::kSwitch ? absl::AsciiStrToLower(text) : text;
  if (!IsOfKind(*found, value) || !found->set(as_flag)) {
    return MakeFieldError(found->name, ShownValue(value), Accepted(*found));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ApplyConfigFile(const std::string& path, const FlagSet& flags) {
  LIVND_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, "a file of YAML", kMaxConfigBytes));
  return ForEachEntry(path, text, "a map of settings, lines like max-sessions: 64",
                      [&flags](const YAML::Node& key, const YAML::Node& value) {
                        return ApplySetting(key, value, flags);
                      });
}

}  // namespace livnd::server
