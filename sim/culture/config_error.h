// Errors of a configuration, as Culture::Create words them. Internal to sim/.
#ifndef LIVND_SIM_CULTURE_CONFIG_ERROR_H_
#define LIVND_SIM_CULTURE_CONFIG_ERROR_H_

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace livnd::sim {

// "FIELD = VALUE; takes ACCEPTED".
inline absl::Status Bad(absl::string_view field, double value, absl::string_view accepted) {
  return absl::InvalidArgumentError(absl::StrCat(field, " = ", value, "; takes ", accepted));
}

// The error with the place where it is.
inline absl::Status At(absl::string_view where, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(where, ": ", status.message()));
}

}  // namespace livnd::sim

#endif  // LIVND_SIM_CULTURE_CONFIG_ERROR_H_
