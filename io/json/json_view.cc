#include "io/json/json_view.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/field_error.h"
#include "base/status_macros.h"

namespace livnd::io {

JsonView JsonView::Child(const Json& json, absl::string_view name) const {
  std::string path = json_->is_array() ? absl::StrCat(path_, "[", name, "]")
                     : path_.empty()   ? std::string(name)
                                       : absl::StrCat(path_, ".", name);
  return JsonView(json, where_, std::move(path));
}

std::string JsonView::Shown() const {
  constexpr size_t kMaxBytes = 60;
  if (json_->is_object()) return absl::StrCat("an object of ", json_->size(), " members");
  if (json_->is_array()) return absl::StrCat("an array of ", json_->size(), " elements");
  if (json_->is_number_float() && !std::isfinite(json_->get<double>())) {
    return Exact(json_->get<double>());  // what JSON has no name for
  }
  std::string text = json_->dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > kMaxBytes) text = absl::StrCat(text.substr(0, kMaxBytes), "...");
  return text;
}

absl::Status JsonView::Refused(absl::string_view accepted) const {
  return Within(MakeFieldError("", Shown(), accepted));
}

absl::Status JsonView::Within(const absl::Status& inner) const {
  return InFile(where_, AtField(path_, inner));
}

absl::StatusOr<JsonView> JsonView::Member(absl::string_view name) const {
  if (!json_->is_object()) return Refused("an object");
  const auto it = json_->find(std::string(name));
  if (it == json_->end()) return Within(MakeFieldError(name, "absent", "a value"));
  return Child(*it, name);
}

absl::StatusOr<std::optional<JsonView>> JsonView::Find(absl::string_view name) const {
  if (!json_->is_object()) return Refused("an object");
  const auto it = json_->find(std::string(name));
  if (it == json_->end() || it->is_null()) return std::nullopt;
  return Child(*it, name);
}

absl::StatusOr<JsonView> JsonView::FirstMember() const {
  if (!json_->is_object() || json_->empty()) return Refused("an object with a member");
  return Child(json_->begin().value(), json_->begin().key());
}

absl::Status JsonView::ForEachMember(
    const std::function<absl::Status(const std::string&, const JsonView&)>& f) const {
  if (!json_->is_object()) return Refused("an object");
  for (auto it = json_->begin(); it != json_->end(); ++it) {
    LIVND_RETURN_IF_ERROR(f(it.key(), Child(it.value(), it.key())));
  }
  return absl::OkStatus();
}

absl::Status JsonView::CheckMembers(absl::Span<const absl::string_view> accepted) const {
  return ForEachMember([&](const std::string& name, const JsonView&) {
    if (std::find(accepted.begin(), accepted.end(), name) != accepted.end()) {
      return absl::OkStatus();
    }
    return Within(MakeFieldError(name, kUnknownName, absl::StrJoin(accepted, ", ")));
  });
}

absl::StatusOr<std::vector<JsonView>> JsonView::Elements(std::optional<size_t> size) const {
  if (!json_->is_array()) return Refused("an array");
  if (size.has_value() && json_->size() != *size) {
    return Refused(absl::StrCat("an array of ", *size, " elements"));
  }
  if (json_->size() > kMaxElements) {
    return Refused(absl::StrCat("at most ", kMaxElements, " elements"));
  }
  std::vector<JsonView> elements;
  elements.reserve(json_->size());
  for (size_t i = 0; i < json_->size(); ++i) {
    elements.push_back(Child((*json_)[i], absl::StrCat(i)));
  }
  return elements;
}

absl::StatusOr<double> JsonView::Number() const {
  if (!json_->is_number()) return Refused("a number");
  const double value = json_->get<double>();
  if (!std::isfinite(value)) return Refused("a finite number");
  return value;
}

absl::StatusOr<std::vector<double>> JsonView::Numbers(std::optional<size_t> size) const {
  LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> elements, Elements(size));
  std::vector<double> numbers;
  numbers.reserve(elements.size());
  for (const JsonView& element : elements) {
    LIVND_ASSIGN_OR_RETURN(const double number, element.Number());
    numbers.push_back(number);
  }
  return numbers;
}

absl::StatusOr<int64_t> JsonView::Integer(int64_t min, int64_t max) const {
  LIVND_ASSIGN_OR_RETURN(const double number, Number());
  // Limits stay within the integers that a double holds exactly.
  if (number != std::floor(number) || number < static_cast<double>(min) ||
      number > static_cast<double>(max)) {
    return Refused(absl::StrCat("an integer from ", min, " to ", max));
  }
  return static_cast<int64_t>(number);
}

absl::StatusOr<bool> JsonView::Bool() const {
  if (!json_->is_boolean()) return Refused("true or false");
  return json_->get<bool>();
}

absl::StatusOr<std::string> JsonView::String() const {
  if (!json_->is_string()) return Refused("a string");
  return json_->get<std::string>();
}

absl::StatusOr<std::vector<std::string>> JsonView::Strings() const {
  LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> elements, Elements());
  std::vector<std::string> strings;
  for (const JsonView& element : elements) {
    LIVND_ASSIGN_OR_RETURN(std::string string, element.String());
    strings.push_back(std::move(string));
  }
  return strings;
}

}  // namespace livnd::io
