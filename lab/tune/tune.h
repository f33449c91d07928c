// A search with its evaluations: from where an earlier one of the same kind has stopped.
#ifndef LIVND_LAB_TUNE_TUNE_H_
#define LIVND_LAB_TUNE_TUNE_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "lab/tune/evaluation_log.h"
#include "lab/tune/evaluation_runner.h"
#include "lab/tune/evaluator.h"
#include "lab/tune/search.h"
#include "lab/work/shared_work.h"
#include "sim/executor.h"

namespace livnd::lab {

// Threads, and what is told while they work. What is found depends on none of it.
struct TuneWork {
  sim::Executor* executor = nullptr;  // required; of as many threads as there are runners
  // Who runs the trials; empty: the engine of this process, on all of the executor's threads.
  std::vector<EvaluationRunner*> runners;
  WorkThreads threads;
  // After each evaluation that is in the log, and not side by side.
  std::function<void(const EvaluationLog&)> progress;
  // True: give up.
  std::function<bool()> stop;
};

// Evaluates until the log has as many as `search` says; its bounds and number of objectives are the evaluator's.
// Evaluations that are in the log already are not done again; what a runner had that is lost is done by the others.
// FailedPrecondition: the log is that of another search. Cancelled: asked to stop. Unavailable: all runners are lost.
// Other errors are the evaluator's and the runners'.
absl::Status Tune(const Evaluator& evaluator, SearchConfig search, const TuneWork& work,
                  EvaluationLog& log);

}  // namespace livnd::lab

#endif  // LIVND_LAB_TUNE_TUNE_H_
