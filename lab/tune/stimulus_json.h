#ifndef LIVND_LAB_TUNE_STIMULUS_JSON_H_
#define LIVND_LAB_TUNE_STIMULUS_JSON_H_

#include "absl/status/statusor.h"
#include "io/json/json_view.h"
#include "lab/tune/target.h"

namespace livnd::lab {

// The stimulus of a target as docs/tuning.md tells it; field errors name the place in the document.
absl::StatusOr<StimulusConfig> ParseStimulus(const io::JsonView& view);

}  // namespace livnd::lab

#endif  // LIVND_LAB_TUNE_STIMULUS_JSON_H_
