// The samples of a plan, run and written: from where an earlier run of the same command has stopped.
#ifndef LIVND_LAB_SAMPLE_SAMPLE_H_
#define LIVND_LAB_SAMPLE_SAMPLE_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "lab/sample/sample_plan.h"
#include "lab/sample/sample_runner.h"
#include "lab/work/shared_work.h"
#include "sim/executor.h"

namespace livnd::lab {

// How far the work is.
struct SampleProgress {
  int64_t done = 0;   // samples in the folder
  int64_t begun = 0;  // of them before
  int64_t total = 0;
  int64_t num_spikes = 0;  // of those that are new
};

struct SampleWork {
  sim::Executor* executor = nullptr;  // required; of as many threads as there are runners
  WorkThreads threads;
  // At the begin, and after each batch that is on the disk; not side by side.
  std::function<void(const SampleProgress&)> progress;
};

// Writes the parts that the folder (PrepareSampleFolder) lacks, and its card once it lacks none. Runners take
// batches of whole parts, each as it gets on; what one had that is lost is done again by the others. The first error of
// a runner, after the others have ended what they had; Unavailable where all are lost.
absl::Status RunSamples(const SamplePlan& plan, const std::string& folder,
                        absl::Span<SampleRunner* const> runners, const SampleWork& work);

}  // namespace livnd::lab

#endif  // LIVND_LAB_SAMPLE_SAMPLE_H_
