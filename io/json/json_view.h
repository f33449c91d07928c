// A place inside a parsed JSON document: a value together with how to name it in an error.

#ifndef LIVND_IO_JSON_JSON_VIEW_H_
#define LIVND_IO_JSON_JSON_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "io/json/json_file.h"

namespace livnd::io {

// Refers to a Json that must outlive it. All errors are InvalidArgument, about a field of the document
// (base/field_error.h): "FILE: path.to.rows[2] is VALUE; accepted: ACCEPTED".
class JsonView {
 public:
  // `where` names the document, usually the file's path.
  JsonView(const Json& json, std::string where) : json_(&json), where_(std::move(where)) {}

  bool is_null() const { return json_->is_null(); }
  bool is_object() const { return json_->is_object(); }
  bool is_array() const { return json_->is_array(); }
  // The value itself.
  const Json& json() const { return *json_; }
  // 3 but not 3.0.
  bool is_integer() const { return json_->is_number_integer(); }

  // Of an object; a missing member is an error for Member, nullopt for Find (as is null).
  absl::StatusOr<JsonView> Member(absl::string_view name) const;
  absl::StatusOr<std::optional<JsonView>> Find(absl::string_view name) const;
  // The first member in the order of the text.
  absl::StatusOr<JsonView> FirstMember() const;
  // Calls f for each member in order until one fails.
  absl::Status ForEachMember(
      const std::function<absl::Status(const std::string&, const JsonView&)>& f) const;
  // An error that lists `accepted` unless every member's name is one of them.
  absl::Status CheckMembers(absl::Span<const absl::string_view> accepted) const;

  // Elements of an array of at most kMaxElements; with a size, exactly that many.
  static constexpr size_t kMaxElements = 65536;
  absl::StatusOr<std::vector<JsonView>> Elements(std::optional<size_t> size = std::nullopt) const;

  absl::StatusOr<double> Number() const;  // finite
  absl::StatusOr<std::vector<double>> Numbers(std::optional<size_t> size = std::nullopt) const;
  // Also of a number such as 3.0.
  absl::StatusOr<int64_t> Integer(int64_t min, int64_t max) const;
  absl::StatusOr<bool> Bool() const;
  absl::StatusOr<std::string> String() const;
  absl::StatusOr<std::vector<std::string>> Strings() const;

  // An error about this value.
  absl::Status Refused(absl::string_view accepted) const;
  // An error about something in this value, or about the value itself, made by those who know no
  // document.
  absl::Status Within(const absl::Status& inner) const;
  // The value as errors show it: short.
  std::string Shown() const;

 private:
  JsonView(const Json& json, std::string where, std::string path)
      : json_(&json), where_(std::move(where)), path_(std::move(path)) {}
  JsonView Child(const Json& json, absl::string_view name) const;

  const Json* json_;
  std::string where_;
  std::string path_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_JSON_JSON_VIEW_H_
