// A search with its evaluations: from where an earlier one of the same kind has stopped.
#ifndef LIVND_LAB_TUNE_TUNE_H_
#define LIVND_LAB_TUNE_TUNE_H_

#include <cstdint>
#include <functional>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "lab/tune/evaluation_log.h"
#include "lab/tune/evaluator.h"
#include "lab/tune/search.h"
#include "sim/executor.h"

namespace livnd::lab {

// Threads, and what is told while they work. What is found depends on none of it.
struct TuneWork {
  sim::Executor* executor = nullptr;  // required
  // Calls its argument while no other call of it does; required where the executor has more than one thread.
  std::function<void(absl::FunctionRef<void()>)> one_at_a_time;
  // After each evaluation that is in the log, and not side by side.
  std::function<void(const EvaluationLog&)> progress;
  // True: give up.
  std::function<bool()> stop;
};

// Evaluates until the log has as many as `search` says; its bounds and number of objectives are the evaluator's.
// Evaluations that are in the log already are not done again. FailedPrecondition: the log is that of another
// search. Cancelled: asked to stop.
absl::Status Tune(const Evaluator& evaluator, SearchConfig search, const TuneWork& work,
                  EvaluationLog& log);

}  // namespace livnd::lab

#endif  // LIVND_LAB_TUNE_TUNE_H_
