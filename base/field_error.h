// Errors that name what a caller got wrong, in a form that a program can hand on.
#ifndef LIVND_BASE_FIELD_ERROR_H_
#define LIVND_BASE_FIELD_ERROR_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace livnd {

// `field` is a path in the argument ("stimuli[0].sample_dt_ms"), `value` what it held, `accepted`
// what it takes.
struct FieldError {
  std::string field;
  std::string value;
  std::string accepted;
};

// InvalidArgument "FIELD is VALUE; accepted: ACCEPTED", with the three attached.
absl::Status MakeFieldError(absl::string_view field, absl::string_view value,
                            absl::string_view accepted);

// What MakeFieldError attached; nullopt for every other status.
std::optional<FieldError> FieldErrorOf(const absl::Status& status);

}  // namespace livnd

#endif  // LIVND_BASE_FIELD_ERROR_H_
