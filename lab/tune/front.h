// The best that a search has found, in livn's order and form.
#ifndef LIVND_LAB_TUNE_FRONT_H_
#define LIVND_LAB_TUNE_FRONT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "io/json/json_file.h"
#include "lab/tune/evaluation_log.h"
#include "lab/tune/search_space.h"
#include "lab/tune/target.h"

namespace livnd::lab {

// Indices of feasible evaluations that no other feasible one dominates; where none is feasible, of those that
// violate least. Of evaluations with the same objectives the first. Ranked as livn 2.0.0 does (Culture.rank_solutions): by features outside their bands, then by constraints that are not held, then by the
// worst objective, each between its least and its largest on the front. A solution's place here is its "loc".
std::vector<size_t> RankedFront(const Target& target, absl::Span<const Evaluation> evaluations);

// How many of the feature bands an evaluation is within.
int NumInBands(const Target& target, const Evaluation& evaluation);

struct FrontSource {
  std::string system;  // the folder
  io::Json selection;  // or null
  io::Json model;      // the class, or [class, arguments]
  std::string params_key;
  std::string source;  // the log's path
  int64_t generations = 0;
};

// front.json as livn 2.0.0 writes it (Tune.export).
io::Json FrontJson(const Target& target, const SearchSpace& space, const FrontSource& source,
                   absl::Span<const Evaluation> evaluations);

}  // namespace livnd::lab

#endif  // LIVND_LAB_TUNE_FRONT_H_
