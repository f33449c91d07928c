// A search on disk: run.json says of what it is, evaluations.jsonl what it has found, front.json the best of it.
#ifndef LIVND_LAB_TUNE_TUNE_FOLDER_H_
#define LIVND_LAB_TUNE_TUNE_FOLDER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/json/json_file.h"
#include "lab/tune/evaluation_log.h"
#include "lab/tune/evaluator.h"
#include "lab/tune/search.h"
#include "lab/tune/target.h"

namespace livnd::lab {

// All that decides what a search finds, but for the number of its evaluations.
struct TuneRun {
  std::string system;  // its folder
  Target target;
  SearchConfig::Algorithm algorithm = SearchConfig::Algorithm::kNsga2;
  int population = 40;
  uint32_t seed = 1;
  // Of a search that goes on from a solution: its coordinates, and the beginning of the names that are searched;
  // all others stay.
  std::vector<double> from;
  std::string search;

  SearchConfig Config(int64_t evaluations) const;
};

// Names of SearchConfig::Algorithm, in order.
inline constexpr const char* kAlgorithms[] = {"nsga2", "moead"};

struct TunePaths {
  explicit TunePaths(const std::string& folder);
  std::string run, log, front, lock;
};

// Makes the folder for a search, or checks that it is one's of the same: same system, by the digests of its files,
// same target, algorithm, population, seed and engine. FailedPrecondition names what differs.
absl::Status PrepareTuneFolder(const std::string& folder, const TuneRun& run,
                               const io::System& system);

// What PrepareTuneFolder has written. Field errors name run.json.
absl::StatusOr<TuneRun> ReadTuneRun(const std::string& folder);

// The evaluator of a run, which searches what the run searches.
absl::StatusOr<std::unique_ptr<Evaluator>> MakeEvaluator(std::shared_ptr<const io::System> system,
                                                         const TuneRun& run);

// front.json of what there is.
io::Json TuneFront(const std::string& folder, const TuneRun& run, const Evaluator& evaluator,
                   absl::Span<const Evaluation> evaluations);

}  // namespace livnd::lab

#endif  // LIVND_LAB_TUNE_TUNE_FOLDER_H_
