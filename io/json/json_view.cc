#include "io/json/json_view.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"

namespace livnd::io {

JsonView JsonView::Child(const Json& json, absl::string_view name) const {
  JsonView child(json, absl::StrCat(where_, is_root_ ? ": " : ".", name));
  child.is_root_ = false;
  return child;
}

absl::Status JsonView::Error(absl::string_view what) const {
  return absl::InvalidArgumentError(absl::StrCat(where_, ": ", what));
}

absl::Status JsonView::Expected(absl::string_view what) const {
  return Error(absl::StrCat("found ", json_->type_name(), ", expected ", what));
}

absl::StatusOr<JsonView> JsonView::Member(absl::string_view name) const {
  if (!json_->is_object()) return Expected("an object");
  const auto it = json_->find(std::string(name));
  if (it == json_->end()) return Error(absl::StrCat("has no member \"", name, "\""));
  return Child(*it, name);
}

absl::StatusOr<std::optional<JsonView>> JsonView::Find(absl::string_view name) const {
  if (!json_->is_object()) return Expected("an object");
  const auto it = json_->find(std::string(name));
  if (it == json_->end() || it->is_null()) return std::nullopt;
  return Child(*it, name);
}

absl::StatusOr<JsonView> JsonView::FirstMember() const {
  if (!json_->is_object() || json_->empty()) return Expected("an object with a member");
  return Child(json_->begin().value(), json_->begin().key());
}

absl::Status JsonView::ForEachMember(
    const std::function<absl::Status(const std::string&, const JsonView&)>& f) const {
  if (!json_->is_object()) return Expected("an object");
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
    return Error(absl::StrCat("unknown member \"", name, "\"; accepted are ",
                              absl::StrJoin(accepted, ", ")));
  });
}

absl::StatusOr<std::vector<JsonView>> JsonView::Elements(std::optional<size_t> size) const {
  if (!json_->is_array()) return Expected("an array");
  if (size.has_value() && json_->size() != *size) {
    return Error(absl::StrCat("has ", json_->size(), " elements, expected ", *size));
  }
  if (json_->size() > kMaxElements) {
    return Error(absl::StrCat("has ", json_->size(), " elements, at most ", kMaxElements));
  }
  std::vector<JsonView> elements;
  elements.reserve(json_->size());
  for (size_t i = 0; i < json_->size(); ++i) {
    elements.push_back(Child((*json_)[i], absl::StrCat(i)));
  }
  return elements;
}

absl::StatusOr<double> JsonView::Number() const {
  if (!json_->is_number()) return Expected("a number");
  const double value = json_->get<double>();
  if (!std::isfinite(value)) return Error("is not finite");
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
    return Error(absl::StrCat("found ", number, ", expected an integer from ", min, " to ", max));
  }
  return static_cast<int64_t>(number);
}

absl::StatusOr<bool> JsonView::Bool() const {
  if (!json_->is_boolean()) return Expected("true or false");
  return json_->get<bool>();
}

absl::StatusOr<std::string> JsonView::String() const {
  if (!json_->is_string()) return Expected("a string");
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
