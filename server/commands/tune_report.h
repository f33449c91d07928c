// What livnd tune prints.
#ifndef LIVND_SERVER_COMMANDS_TUNE_REPORT_H_
#define LIVND_SERVER_COMMANDS_TUNE_REPORT_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "io/json/json_file.h"
#include "lab/tune/evaluation_log.h"
#include "lab/tune/target.h"
#include "lab/tune/tune_folder.h"

namespace livnd::server {

size_t NumFeasible(absl::Span<const lab::Evaluation> evaluations);

// "12 of 40 evaluations, 3 feasible, 2 on the front".
std::string ProgressText(const lab::Target& target, absl::Span<const lab::Evaluation> evaluations,
                         int64_t wanted);

// The front as a table: features that are objectives or in bands, a star where one is within its band.
void PrintSummary(const lab::Target& target, const io::Json& front);

// One solution, and the commands that go on from it: more evaluations, and the noise alone. A field
// error where there is none of this place.
absl::Status PrintSolution(const std::string& folder, int loc, const lab::TuneRun& run,
                           const io::Json& front);

absl::Status MissingLoc(int loc, size_t num_solutions);

}  // namespace livnd::server

#endif  // LIVND_SERVER_COMMANDS_TUNE_REPORT_H_
