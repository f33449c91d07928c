#include "io/json/yaml.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "yaml-cpp/eventhandler.h"
#include "yaml-cpp/yaml.h"

namespace livnd::io {
namespace {

constexpr char kOneDocument[] = "one document of YAML";

// Leaves yaml-cpp's parser, which knows no other way out; never leaves this file.
struct Refused {
  int line;
  std::string value;
  std::string accepted;
};
struct IncludeFailed {
  int line;
  absl::Status status;
};

bool IsOneOf(absl::string_view text, std::initializer_list<absl::string_view> names) {
  for (absl::string_view name : names) {
    if (text == name) return true;
  }
  return false;
}

// The core schema, YAML 1.2.2 section 10.3.2.
Json PlainScalar(const std::string& text) {
  if (IsOneOf(text, {"", "~", "null", "Null", "NULL"})) return nullptr;
  if (IsOneOf(text, {"true", "True", "TRUE"})) return true;
  if (IsOneOf(text, {"false", "False", "FALSE"})) return false;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (IsOneOf(text, {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"})) return kInfinity;
  if (IsOneOf(text, {"-.inf", "-.Inf", "-.INF"})) return -kInfinity;
  if (IsOneOf(text, {".nan", ".NaN", ".NAN"})) return std::numeric_limits<double>::quiet_NaN();
  const bool number = text.find_first_of("0123456789") != std::string::npos &&
                      text.find_first_not_of("0123456789+-.eE") == std::string::npos;
  int64_t integer;
  double real;
  if (number && absl::SimpleAtoi(text, &integer)) return integer;
  if (number && absl::SimpleAtod(text, &real)) return real;
  return text;
}

// Builds a Json of what the parser tells.
class Builder final : public YAML::EventHandler {
 public:
  Builder(const JsonLimits& limits, const YamlInclude& include)
      : limits_(limits), include_(include) {}

  Json Take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    CheckAnchor(mark, anchor);
    Scalar(mark, "", nullptr);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refused{mark.line, "an alias", "the value itself"};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    CheckAnchor(mark, anchor);
    if (!IsUtf8(value)) throw Refused{mark.line, "text that is no UTF-8", "UTF-8"};
    if (tag == "!include" && include_ && !AtKey()) {
      absl::StatusOr<Json> included = include_(value);
      if (!included.ok()) throw IncludeFailed{mark.line, included.status()};
      Put(*std::move(included));
      return;
    }
    // "!" are quotes, "?" is nothing.
    if (tag != "!" && tag != "?" && !tag.empty()) CheckTag(mark, tag);
    Scalar(mark, value, tag == "!" ? Json(value) : PlainScalar(value));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, Json::array());
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, Json::object());
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  struct Place {
    Json* json;
    std::optional<std::string> key;  // of an object, when its value comes next
  };

  static void CheckAnchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) throw Refused{mark.line, "an anchor", "a value without"};
  }
  static void CheckTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag != "?" && !tag.empty()) {
      throw Refused{mark.line, absl::StrCat("a tag, ", tag.substr(0, 80)), "a value without"};
    }
  }

  // The next scalar is a key.
  bool AtKey() const {
    return !open_.empty() && open_.back().json->is_object() && !open_.back().key.has_value();
  }

  void Scalar(const YAML::Mark& mark, const std::string& text, Json value) {
    if (AtKey()) {
      Place& place = open_.back();
      if (place.json->contains(text)) {
        throw Refused{mark.line, absl::StrCat("a key for the second time, ", text.substr(0, 80)),
                      "each key once"};
      }
      if (static_cast<int>(place.json->size()) >= limits_.max_members) {
        throw Refused{mark.line, "one more",
                      absl::StrCat("a map of at most ", limits_.max_members)};
      }
      place.key = text;
      return;
    }
    Put(std::move(value));
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Json value) {
    CheckAnchor(mark, anchor);
    CheckTag(mark, tag);
    if (AtKey()) {
      throw Refused{mark.line, "a key that is a map or a sequence", "a text"};
    }
    if (static_cast<int>(open_.size()) >= limits_.max_depth) {
      throw Refused{mark.line, "more within",
                    absl::StrCat("a depth of at most ", limits_.max_depth)};
    }
    open_.push_back({Put(std::move(value)), std::nullopt});
  }

  // Pointers to what is open stay: a container grows only when nothing within it is open.
  Json* Put(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Place& place = open_.back();
    if (place.json->is_array()) {
      place.json->push_back(std::move(value));
      return &place.json->back();
    }
    Json& member = (*place.json)[*place.key];
    place.key.reset();
    member = std::move(value);
    return &member;
  }

  const JsonLimits limits_;
  const YamlInclude& include_;
  Json root_;
  std::vector<Place> open_;
};

absl::Status At(absl::string_view name, int line, absl::string_view value,
                absl::string_view accepted) {
  return InFile(absl::StrCat(name, ":", line + 1), MakeFieldError("", value, accepted));
}

}  // namespace

absl::StatusOr<Json> ParseYaml(absl::string_view name, absl::string_view text,
                               const JsonLimits& limits, const YamlInclude& include) {
  if (text.size() > limits.max_bytes) {
    return InFile(name, MakeFieldError("", absl::StrCat(text.size(), " bytes"),
                                       absl::StrCat("at most ", limits.max_bytes)));
  }
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder(limits, include);
    parser.HandleNextDocument(builder);
    Json json = builder.Take();
    // No further than to the second document: of some texts yaml-cpp makes them without end.
    Builder second(limits, include);
    if (parser.HandleNextDocument(second)) {
      return InFile(name, MakeFieldError("", "more than one document", kOneDocument));
    }
    return json;
  } catch (const Refused& refused) {
    return At(name, refused.line, refused.value, refused.accepted);
  } catch (const IncludeFailed& failed) {
    // Files within tell their own.
    return InFile(absl::StrCat(name, ":", failed.line + 1), failed.status);
  } catch (const YAML::Exception& error) {
    return At(name, error.mark.is_null() ? 0 : error.mark.line,
              absl::StrCat("no YAML (", error.msg, ")"), kOneDocument);
  }
}

}  // namespace livnd::io
