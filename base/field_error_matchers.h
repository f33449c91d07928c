// For tests of errors that name a field.
#ifndef LIVND_BASE_FIELD_ERROR_MATCHERS_H_
#define LIVND_BASE_FIELD_ERROR_MATCHERS_H_

#include <optional>

#include "base/field_error.h"
#include "gmock/gmock.h"

namespace livnd {

// An absl::Status about a field of a file; each argument is a text or a matcher.
MATCHER_P4(IsFileError, file, field, value, accepted, "names file, field, value and accepted") {
  const std::optional<FieldError> error = FieldErrorOf(arg);
  if (!error.has_value()) {
    *result_listener << "which names no field";
    return false;
  }
  return testing::ExplainMatchResult(file, error->file, result_listener) &&
         testing::ExplainMatchResult(field, error->field, result_listener) &&
         testing::ExplainMatchResult(value, error->value, result_listener) &&
         testing::ExplainMatchResult(accepted, error->accepted, result_listener);
}

// The same about a field of what the caller gave.
MATCHER_P3(IsFieldError, field, value, accepted, "names field, value and what is accepted") {
  return testing::ExplainMatchResult(IsFileError("", field, value, accepted), arg, result_listener);
}

}  // namespace livnd

#endif  // LIVND_BASE_FIELD_ERROR_MATCHERS_H_
