#include "io/coding/coding_fields.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/field_error.h"
#include "base/nearest_name.h"

namespace livnd::io {
namespace {

std::string Between(double low, double high) {
  return absl::StrCat(Exact(low), " .. ", Exact(high));
}

std::string Shown(const std::vector<double>& values) {
  return absl::StrCat(
      "[",
      absl::StrJoin(values, ", ",
                    [](std::string* out, double value) { absl::StrAppend(out, Exact(value)); }),
      "]");
}

}  // namespace

std::optional<JsonView> CodingFields::Visit(absl::string_view name, std::string accepted,
                                            std::string value) {
  described_.push_back({std::string(name), std::move(accepted), std::move(value)});
  if (!status_.ok() || !object_.has_value()) return std::nullopt;
  const auto found = object_->Find(name);
  Take(found.status());
  return found.ok() ? *found : std::nullopt;
}

void CodingFields::Take(const absl::Status& status) { status_.Update(status); }

void CodingFields::Refuse(absl::string_view name, absl::string_view value,
                          absl::string_view accepted) {
  const absl::Status error = MakeFieldError(name, value, accepted);
  Take(object_.has_value() ? object_->Within(error) : error);
}

void CodingFields::Require(bool holds, absl::string_view name, absl::string_view value,
                           absl::string_view accepted) {
  if (status_.ok() && !holds) Refuse(name, value, accepted);
}

void CodingFields::Number(absl::string_view name, double* value, double low, double high) {
  const std::string accepted = Between(low, high);
  if (const auto view = Visit(name, accepted, Exact(*value))) {
    const auto number = view->Number();
    Take(number.status());
    if (number.ok()) *value = *number;
  }
  // NaN fails.
  Require(*value >= low && *value <= high, name, Exact(*value), accepted);
}

void CodingFields::Whole(absl::string_view name, int64_t* value, int64_t low, int64_t high) {
  const std::string accepted = absl::StrCat("a whole number, ", low, " .. ", high);
  if (const auto view = Visit(name, accepted, Exact(*value))) {
    const auto number = view->Integer(low, high);
    Take(number.status());
    if (number.ok()) *value = *number;
  }
  Require(*value >= low && *value <= high, name, Exact(*value), accepted);
}

void CodingFields::Flag(absl::string_view name, bool* value) {
  if (const auto view = Visit(name, "true or false", *value ? "true" : "false")) {
    const auto flag = view->Bool();
    Take(flag.status());
    if (flag.ok()) *value = *flag;
  }
}

void CodingFields::Word(absl::string_view name, int* value,
                        std::initializer_list<absl::string_view> words) {
  const std::string accepted = absl::StrJoin(words, " or ");
  const bool is_known = *value >= 0 && static_cast<size_t>(*value) < words.size();
  const auto view =
      Visit(name, accepted, is_known ? std::string(words.begin()[*value]) : absl::StrCat(*value));
  Require(is_known, name, absl::StrCat(*value), accepted);
  if (!view.has_value() || !status_.ok()) return;
  const auto word = view->String();
  Take(word.status());
  if (!word.ok()) return;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words.begin()[i] == *word) {
      *value = static_cast<int>(i);
      return;
    }
  }
  Take(view->Refused(accepted));
}

void CodingFields::CheckNumbers(absl::string_view name, const std::vector<double>& values,
                                size_t max_size, double low, double high) {
  Require(values.size() <= max_size, name, absl::StrCat(values.size(), " numbers"),
          absl::StrCat("at most ", max_size));
  for (size_t i = 0; i < values.size() && status_.ok(); ++i) {
    Require(values[i] >= low && values[i] <= high, absl::StrCat(name, "[", i, "]"),
            Exact(values[i]), Between(low, high));
  }
}

void CodingFields::Numbers(absl::string_view name, std::vector<double>* values, size_t max_size,
                           double low, double high) {
  if (const auto view =
          Visit(name, absl::StrCat("at most ", max_size, " numbers, ", Between(low, high)),
                Shown(*values))) {
    auto numbers = view->Numbers();
    Take(numbers.status());
    if (numbers.ok()) *values = *std::move(numbers);
  }
  CheckNumbers(name, *values, max_size, low, high);
}

void CodingFields::Lists(absl::string_view name, std::vector<std::vector<double>>* values,
                         size_t max_size, double low, double high) {
  const std::string accepted =
      absl::StrCat("at most ", max_size, " lists of as many numbers, ", Between(low, high));
  const std::string value =
      absl::StrCat("[",
                   absl::StrJoin(*values, ", ",
                                 [](std::string* out, const std::vector<double>& list) {
                                   absl::StrAppend(out, Shown(list));
                                 }),
                   "]");
  if (const auto view = Visit(name, accepted, value)) {
    const auto elements = view->Elements();
    Take(elements.status());
    if (elements.ok()) {
      values->clear();
      for (const JsonView& element : *elements) {
        auto numbers = element.Numbers();
        Take(numbers.status());
        if (!numbers.ok()) return;
        values->push_back(*std::move(numbers));
      }
    }
  }
  Require(values->size() <= max_size, name, absl::StrCat(values->size(), " lists"), accepted);
  for (size_t i = 0; i < values->size() && status_.ok(); ++i) {
    CheckNumbers(absl::StrCat(name, "[", i, "]"), (*values)[i], max_size, low, high);
  }
}

absl::Status CodingFields::Finish() {
  if (!status_.ok() || !object_.has_value()) return status_;
  std::vector<std::string> names;
  for (const Field& field : described_) names.push_back(field.name);
  return object_->ForEachMember([&](const std::string& member, const JsonView&) -> absl::Status {
    if (member == "name") return absl::OkStatus();
    for (const std::string& name : names) {
      if (name == member) return absl::OkStatus();
    }
    return object_->Within(MakeFieldError(
        absl::string_view(member).substr(0, 200), kUnknownName,
        names.empty() ? "name alone"
                      : NearestAndAll(absl::string_view(member).substr(0, 200), names)));
  });
}

}  // namespace livnd::io
