// A stimulus of an oracle case as the culture that is served takes it.
#ifndef LIVND_LAB_PARITY_CASE_STIMULUS_H_
#define LIVND_LAB_PARITY_CASE_STIMULUS_H_

#include <optional>

#include "absl/status/statusor.h"
#include "env/culture/culture_types.h"
#include "io/culture/culture_setup.h"
#include "lab/parity/oracle_case.h"
#include "sim/culture/culture.h"

namespace livnd::lab {

// With livn's timing. Columns of sections that do not exist, and light on sections without an opsin,
// are left out: livn passes over them, a served culture refuses them. Absent: nothing is left.
// InvalidArgument says what is wrong with the stimulus.
absl::StatusOr<std::optional<env::CultureStimulus>> StimulusOf(const OracleStimulus& stimulus,
                                                               const io::CultureSetup& setup,
                                                               const sim::Culture& culture);

}  // namespace livnd::lab

#endif  // LIVND_LAB_PARITY_CASE_STIMULUS_H_
