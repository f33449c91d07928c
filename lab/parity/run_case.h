// Runs an oracle case on the engine.
#ifndef LIVND_LAB_PARITY_RUN_CASE_H_
#define LIVND_LAB_PARITY_RUN_CASE_H_

#include "absl/status/statusor.h"
#include "lab/parity/case_recording.h"
#include "lab/parity/oracle_case.h"

namespace livnd::lab {

// InvalidArgument says what the engine refuses.
absl::StatusOr<CaseRecording> RunOracleCase(const OracleCase& oracle);

}  // namespace livnd::lab

#endif  // LIVND_LAB_PARITY_RUN_CASE_H_
