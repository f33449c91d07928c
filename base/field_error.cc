#include "base/field_error.h"

#include <cmath>
#include <limits>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace livnd {
namespace {

constexpr absl::string_view kFileUrl = "livnd/file";
constexpr absl::string_view kFieldUrl = "livnd/field";
constexpr absl::string_view kValueUrl = "livnd/value";
constexpr absl::string_view kAcceptedUrl = "livnd/accepted";

std::string TextOf(const FieldError& error) {
  const bool both = !error.file.empty() && !error.field.empty();
  return absl::StrCat(error.file, both ? ": " : "", error.field, " is ", error.value,
                      "; accepted: ", error.accepted);
}

// The status with another text.
absl::Status WithText(const absl::Status& status, absl::string_view text) {
  absl::Status out(status.code(), text);
  status.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& payload) { out.SetPayload(url, payload); });
  return out;
}

bool Read(absl::string_view text, double* number) { return absl::SimpleAtod(text, number); }
bool Read(absl::string_view text, float* number) { return absl::SimpleAtof(text, number); }

template <typename T>
std::string ShortestText(T number) {
  if (std::isnan(number)) return "nan";  // whatever its sign
  constexpr int kEnough = std::numeric_limits<T>::max_digits10;
  for (int digits = 6; digits < kEnough; ++digits) {
    std::string text = absl::StrFormat("%.*g", digits, number);
    T read_back = 0;
    if (Read(text, &read_back) && read_back == number) return text;
  }
  return absl::StrFormat("%.*g", kEnough, number);
}

}  // namespace

std::string Exact(double number) { return ShortestText(number); }
std::string Exact(float number) { return ShortestText(number); }
std::string Exact(int64_t number) { return absl::StrCat(number); }

absl::Status MakeFieldError(absl::string_view field, absl::string_view value,
                            absl::string_view accepted) {
  return WithFieldError({"", std::string(field), std::string(value), std::string(accepted)},
                        absl::InvalidArgumentError(""));
}

std::optional<FieldError> FieldErrorOf(const absl::Status& status) {
  const absl::optional<absl::Cord> field = status.GetPayload(kFieldUrl);
  const absl::optional<absl::Cord> value = status.GetPayload(kValueUrl);
  const absl::optional<absl::Cord> accepted = status.GetPayload(kAcceptedUrl);
  if (!field.has_value() || !value.has_value() || !accepted.has_value()) return std::nullopt;
  const absl::Cord file = status.GetPayload(kFileUrl).value_or(absl::Cord());
  return FieldError{std::string(file), std::string(*field), std::string(*value),
                    std::string(*accepted)};
}

absl::Status WithFieldError(const FieldError& error, const absl::Status& status) {
  if (status.ok()) return status;
  absl::Status out = WithText(status, TextOf(error));
  out.ErasePayload(kFileUrl);
  if (!error.file.empty()) out.SetPayload(kFileUrl, absl::Cord(error.file));
  out.SetPayload(kFieldUrl, absl::Cord(error.field));
  out.SetPayload(kValueUrl, absl::Cord(error.value));
  out.SetPayload(kAcceptedUrl, absl::Cord(error.accepted));
  return out;
}

absl::Status AtField(absl::string_view prefix, const absl::Status& status) {
  if (status.ok()) return status;
  std::optional<FieldError> error = FieldErrorOf(status);
  if (!error.has_value()) return WithText(status, absl::StrCat(prefix, ": ", status.message()));
  if (!error->file.empty()) return status;
  const bool joined = prefix.empty() || error->field.empty() || absl::StartsWith(error->field, "[");
  error->field = absl::StrCat(prefix, joined ? "" : ".", error->field);
  return WithFieldError(*error, status);
}

absl::Status InFile(absl::string_view file, const absl::Status& status) {
  if (status.ok()) return status;
  std::optional<FieldError> error = FieldErrorOf(status);
  if (!error.has_value()) return WithText(status, absl::StrCat(file, ": ", status.message()));
  if (!error->file.empty()) return status;
  error->file = std::string(file);
  return WithFieldError(*error, status);
}

}  // namespace livnd
