// Runs an oracle case on the engine and holds the result against livn's trace.
#ifndef LIVND_SERVER_PARITY_RUN_CASE_H_
#define LIVND_SERVER_PARITY_RUN_CASE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/parity/oracle_case.h"
#include "server/parity/trace_file.h"

namespace livnd::server {

struct ParityRun {
  // Feature that the run needs and the engine lacks; empty if it was judged.
  std::string missing;
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

  // The first missing feature, or empty.
  std::string missing() const;
  bool pass() const;
};

absl::StatusOr<ParityResult> RunOracleCase(const OracleCase& oracle, const TraceFile& trace);

}  // namespace livnd::server

#endif  // LIVND_SERVER_PARITY_RUN_CASE_H_
