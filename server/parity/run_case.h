// Runs an oracle case on the engine.
#ifndef LIVND_SERVER_PARITY_RUN_CASE_H_
#define LIVND_SERVER_PARITY_RUN_CASE_H_

#include "absl/status/statusor.h"
#include "server/parity/case_recording.h"
#include "server/parity/oracle_case.h"

namespace livnd::server {

// InvalidArgument says what the engine refuses.
absl::StatusOr<CaseRecording> RunOracleCase(const OracleCase& oracle);

}  // namespace livnd::server

#endif  // LIVND_SERVER_PARITY_RUN_CASE_H_
