#include "server/commands/config_file.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <sstream>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "server/machine/read_file.h"
#include "yaml-cpp/eventhandler.h"
#include "yaml-cpp/yaml.h"

namespace livnd::server {
namespace {

using Kind = FlagSet::Kind;

// Steps from one name to another: characters put in, left out or exchanged.
size_t Distance(absl::string_view from, absl::string_view to) {
  std::vector<size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < from.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < to.size(); ++j) {
      const size_t changed = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

// A value as an error shows it: one short line.
std::string Shown(absl::string_view value) {
  constexpr size_t kMax = 80;
  std::string shown = absl::Utf8SafeCHexEscape(value.substr(0, kMax));
  if (value.size() > kMax) shown += "...";
  return absl::StrCat("'", shown, "'");
}

// What a setting takes, with how it is written.
std::string Accepted(const FlagSet::Flag& flag) {
  switch (flag.kind) {
    case Kind::kText:
      return absl::StrCat("text (", flag.value_name, "), in quotes where YAML takes it for more");
    case Kind::kInteger:
      return absl::StrCat(flag.accepted, ", a whole number without quotes");
    case Kind::kTime:
    case Kind::kSwitch:
      return flag.accepted;
  }
  return flag.accepted;
}

// What the core schema of YAML 1.2 makes of characters without quotes.
enum class Plain { kNull, kBool, kNumber, kText };
Plain PlainKind(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
    return Plain::kNull;
  }
  if (text == "true" || text == "True" || text == "TRUE" || text == "false" || text == "False" ||
      text == "FALSE") {
    return Plain::kBool;
  }
  double number;
  return YAML::convert<double>::decode(node, number) ? Plain::kNumber : Plain::kText;
}

// The text of a value if it is of the flag's kind.
bool IsOfKind(const FlagSet::Flag& flag, const YAML::Node& value) {
  if (!value.IsScalar() || absl::string_view(value.Scalar()).find('\0') != std::string::npos) {
    return false;
  }
  const bool quoted = value.Tag() == "!";
  if (!quoted && value.Tag() != "?") return false;  // "!!int", "!anything"
  const Plain plain = quoted ? Plain::kText : PlainKind(value);
  switch (flag.kind) {
    case Kind::kText:
      return plain == Plain::kText;
    case Kind::kInteger:
      return plain == Plain::kNumber;
    case Kind::kTime:
      return plain == Plain::kNumber || plain == Plain::kText;
    case Kind::kSwitch:
      return plain == Plain::kBool;
  }
  return false;
}

std::string ShownNode(const YAML::Node& node) {
  if (node.IsScalar()) return Shown(node.Scalar());
  if (node.IsSequence()) return "a sequence";
  if (node.IsMap()) return "a map";
  return "nothing";
}

absl::Status UnknownKey(absl::string_view key, const FlagSet& flags) {
  const FlagSet::Flag* nearest = nullptr;
  std::vector<absl::string_view> names;
  for (const FlagSet::Flag& flag : flags.flags()) {
    if (flag.name == kConfigFlag) continue;
    names.push_back(flag.name);
    if (nearest == nullptr || Distance(key, flag.name) < Distance(key, nearest->name)) {
      nearest = &flag;
    }
  }
  return MakeFieldError(Shown(key), kUnknownName,
                        absl::StrCat(nearest == nullptr ? "" : nearest->name, " (the nearest), or ",
                                     absl::StrJoin(names, ", ")));
}

absl::Status ApplySetting(const YAML::Node& key, const YAML::Node& value, const FlagSet& flags) {
  if (!key.IsScalar()) return MakeFieldError("a key", ShownNode(key), "the name of a flag");
  const FlagSet::Flag* found = nullptr;
  for (const FlagSet::Flag& flag : flags.flags()) {
    if (flag.name == key.Scalar() && flag.name != kConfigFlag) found = &flag;
  }
  if (found == nullptr) return UnknownKey(absl::string_view(key.Scalar()).substr(0, 200), flags);
  const std::string text = value.IsScalar() ? value.Scalar() : "";
  const std::string as_flag = found->kind == Kind::kSwitch ? absl::AsciiStrToLower(text) : text;
  if (!IsOfKind(*found, value) || !found->set(as_flag)) {
    return MakeFieldError(found->name, ShownNode(value), Accepted(*found));
  }
  return absl::OkStatus();
}

// Hears of everything in a document and keeps nothing.
class NoEvents final : public YAML::EventHandler {
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// Looks no further than to the second document: of some texts yaml-cpp makes documents without end
// ("," is one), and LoadAll would not return.
bool HasSeveralDocuments(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  NoEvents none;
  return parser.HandleNextDocument(none) && parser.HandleNextDocument(none);
}

absl::Status ApplyText(const std::string& path, const std::string& text, const FlagSet& flags) {
  if (HasSeveralDocuments(text)) {
    return InFile(path, MakeFieldError("", "more than one document", "one"));
  }
  const YAML::Node settings = YAML::Load(text);
  if (!settings.IsDefined() || settings.IsNull()) return absl::OkStatus();
  if (!settings.IsMap()) {
    return InFile(path, MakeFieldError("", ShownNode(settings), "a map of settings, name: value"));
  }
  std::map<std::string, int> lines;  // key -> where it was first
  for (const auto& setting : settings) {
    const int line = setting.first.Mark().line + 1;
    const std::string place = absl::StrCat(path, ":", line);
    LIVND_RETURN_IF_ERROR(InFile(place, ApplySetting(setting.first, setting.second, flags)));
    const auto [before, is_new] = lines.emplace(setting.first.Scalar(), line);
    if (!is_new) {
      return InFile(place, MakeFieldError(setting.first.Scalar(), "there already",
                                          absl::StrCat("once (line ", before->second, ")")));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ApplyConfigFile(const std::string& path, const FlagSet& flags) {
  LIVND_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, "a file of YAML", kMaxConfigBytes));
  try {
    return ApplyText(path, text, flags);
  } catch (const YAML::Exception& error) {
    const std::string place =
        error.mark.is_null() ? path : absl::StrCat(path, ":", error.mark.line + 1);
    return InFile(place, MakeFieldError("", absl::StrCat("no YAML (", error.msg, ")"),
                                        "lines like max-sessions: 64"));
  }
}

}  // namespace livnd::server
