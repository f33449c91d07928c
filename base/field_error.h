// Errors that name what a caller got wrong, in a form that a program can hand on.
#ifndef LIVND_BASE_FIELD_ERROR_H_
#define LIVND_BASE_FIELD_ERROR_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace livnd {

struct FieldError {
  // Of the file that holds the field; empty: it is in what the caller gave.
  std::string file;
  // A path: "stimuli[0].sample_dt_ms"; empty: the file or argument as a whole.
  std::string field;
  std::string value;     // what the field held
  std::string accepted;  // what it takes
};

// The shortest text that reads back as the same number, in 6 digits at least where these are enough:
// "1", "1e+06", "1.0000000000000002". In a value or in what is accepted, a number just out of range
// would otherwise read as one within it.
std::string Exact(double number);
std::string Exact(float number);
std::string Exact(int64_t number);

// The value of a field whose name nobody knows, the last part of its path: "opsin[g1]".
inline constexpr char kUnknownName[] = "an unknown name";

// InvalidArgument "FIELD is VALUE; accepted: ACCEPTED", with the three attached.
absl::Status MakeFieldError(absl::string_view field, absl::string_view value,
                            absl::string_view accepted);

// What a status carries; nullopt for one that is not about a field.
std::optional<FieldError> FieldErrorOf(const absl::Status& status);

// The three below give back a status that differs in its text and its field alone: the code and all
// that is attached otherwise stay. They leave OK as it is.

// The field's path below another: AtField("a", "b") is about "a.b", AtField("a", "[1]") about
// "a[1]". Of a status that is not about a field, `prefix` comes before the text; one that tells its
// file keeps its path there.
absl::Status AtField(absl::string_view prefix, const absl::Status& status);

// The field is in a file: "FILE: FIELD is VALUE; accepted: ACCEPTED". A status that tells its file
// already keeps it.
absl::Status InFile(absl::string_view file, const absl::Status& status);

// The same about another field, file, value or set of values.
absl::Status WithFieldError(const FieldError& error, const absl::Status& status);

}  // namespace livnd

#endif  // LIVND_BASE_FIELD_ERROR_H_
