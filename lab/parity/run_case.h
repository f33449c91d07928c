// Runs an oracle case on the culture that is served.
#ifndef LIVND_LAB_PARITY_RUN_CASE_H_
#define LIVND_LAB_PARITY_RUN_CASE_H_

#include "absl/status/statusor.h"
#include "lab/parity/case_recording.h"
#include "lab/parity/oracle_case.h"

namespace livnd::lab {

// What is done to the case's culture goes through env::LiveCulture, as a client's calls do: changes,
// runs with stimuli of livn's timing, clears, recordings. InvalidArgument says what that refuses.
absl::StatusOr<CaseRecording> RunOracleCase(const OracleCase& oracle);

}  // namespace livnd::lab

#endif  // LIVND_LAB_PARITY_RUN_CASE_H_
