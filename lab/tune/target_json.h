// Targets as YAML or JSON. docs/tuning.md has the form.
#ifndef LIVND_LAB_TUNE_TARGET_JSON_H_
#define LIVND_LAB_TUNE_TARGET_JSON_H_

#include "absl/status/statusor.h"
#include "io/json/json_view.h"
#include "lab/tune/target.h"

namespace livnd::lab {

// Field errors name the file, the key, its value and what it takes; of an unknown key, the nearest.
absl::StatusOr<Target> ParseTarget(const io::JsonView& document);

}  // namespace livnd::lab

#endif  // LIVND_LAB_TUNE_TARGET_JSON_H_
