#include "server/machine/yaml.h"

#include <map>
#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "yaml-cpp/eventhandler.h"

namespace livnd::server {
namespace {

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

absl::Status ForEach(
    const std::string& path, const std::string& text, absl::string_view what,
    absl::FunctionRef<absl::Status(const YAML::Node& key, const YAML::Node& value)> take) {
  if (HasSeveralDocuments(text)) {
    return InFile(path, MakeFieldError("", "more than one document", "one"));
  }
  const YAML::Node entries = YAML::Load(text);
  if (!entries.IsDefined() || entries.IsNull()) return absl::OkStatus();
  if (!entries.IsMap()) return InFile(path, MakeFieldError("", ShownValue(entries), what));
  std::map<std::string, int> lines;  // key -> where it was first
  for (const auto& entry : entries) {
    const int line = entry.first.Mark().line + 1;
    const std::string place = absl::StrCat(path, ":", line);
    LIVND_RETURN_IF_ERROR(InFile(place, take(entry.first, entry.second)));
    const auto [before, is_new] = lines.emplace(entry.first.Scalar(), line);
    if (!is_new) {
      return InFile(place, MakeFieldError(entry.first.Scalar(), "there already",
                                          absl::StrCat("once (line ", before->second, ")")));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ForEachEntry(
    const std::string& path, const std::string& text, absl::string_view what,
    absl::FunctionRef<absl::Status(const YAML::Node& key, const YAML::Node& value)> take) {
  try {
    return ForEach(path, text, what, take);
  } catch (const YAML::Exception& error) {
    const std::string place =
        error.mark.is_null() ? path : absl::StrCat(path, ":", error.mark.line + 1);
    return InFile(place, MakeFieldError("", absl::StrCat("no YAML (", error.msg, ")"), what));
  }
}

YamlKind KindOf(const YAML::Node& node) {
  if (!node.IsScalar()) return YamlKind::kOther;
  if (node.Tag() == "!") return YamlKind::kText;   // in quotes
  if (node.Tag() != "?") return YamlKind::kOther;  // "!!int", "!anything"
  const std::string& text = node.Scalar();
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
    return YamlKind::kNull;
  }
  if (text == "true" || text == "True" || text == "TRUE" || text == "false" || text == "False" ||
      text == "FALSE") {
    return YamlKind::kBool;
  }
  double number;
  return YAML::convert<double>::decode(node, number) ? YamlKind::kNumber : YamlKind::kText;
}

std::string ShownValue(const YAML::Node& node) {
  if (node.IsSequence()) return "a sequence";
  if (node.IsMap()) return "a map";
  if (!node.IsScalar()) return "nothing";
  return ShownText(node.Scalar());
}

std::string ShownText(absl::string_view text) {
  constexpr size_t kMax = 80;
  std::string shown = absl::Utf8SafeCHexEscape(text.substr(0, kMax));
  if (text.size() > kMax) shown += "...";
  return absl::StrCat("'", shown, "'");
}

}  // namespace livnd::server
