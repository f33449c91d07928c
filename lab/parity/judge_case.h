// Holds what the culture gave for an oracle case against livn's trace.
#ifndef LIVND_LAB_PARITY_JUDGE_CASE_H_
#define LIVND_LAB_PARITY_JUDGE_CASE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "lab/parity/case_recording.h"
#include "lab/parity/oracle_case.h"
#include "lab/parity/trace_file.h"

namespace livnd::lab {

struct ParityRun {
  double max_abs_dv_mv = 0.0;
  int64_t spikes_expected = 0;
  int64_t spikes_got = 0;
  // Over spikes of equal cell and order; the smaller of the two counts of each cell.
  double max_spike_shift_ms = 0.0;
  // Start of the first step at which the spikes differ; absent if they never do.
  std::optional<double> first_divergence_ms;
  bool pass = false;
};

struct ParityResult {
  std::string name;
  std::vector<ParityRun> runs;

  bool pass() const;
};

// DataLoss names the trace and the data set in which it contradicts the case.
absl::StatusOr<ParityResult> JudgeCase(const OracleCase& oracle, const CaseRecording& recording,
                                       const TraceFile& trace);

}  // namespace livnd::lab

#endif  // LIVND_LAB_PARITY_JUDGE_CASE_H_
