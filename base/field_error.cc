#include "base/field_error.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace livnd {
namespace {

constexpr absl::string_view kFieldUrl = "livnd/field";
constexpr absl::string_view kValueUrl = "livnd/value";
constexpr absl::string_view kAcceptedUrl = "livnd/accepted";

}  // namespace

absl::Status MakeFieldError(absl::string_view field, absl::string_view value,
                            absl::string_view accepted) {
  absl::Status status =
      absl::InvalidArgumentError(absl::StrCat(field, " is ", value, "; accepted: ", accepted));
  status.SetPayload(kFieldUrl, absl::Cord(field));
  status.SetPayload(kValueUrl, absl::Cord(value));
  status.SetPayload(kAcceptedUrl, absl::Cord(accepted));
  return status;
}

std::optional<FieldError> FieldErrorOf(const absl::Status& status) {
  const absl::optional<absl::Cord> field = status.GetPayload(kFieldUrl);
  const absl::optional<absl::Cord> value = status.GetPayload(kValueUrl);
  const absl::optional<absl::Cord> accepted = status.GetPayload(kAcceptedUrl);
  if (!field.has_value() || !value.has_value() || !accepted.has_value()) return std::nullopt;
  return FieldError{std::string(*field), std::string(*value), std::string(*accepted)};
}

}  // namespace livnd
