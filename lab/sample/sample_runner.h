// Whoever runs samples: the engine in this process, or servers.
#ifndef LIVND_LAB_SAMPLE_SAMPLE_RUNNER_H_
#define LIVND_LAB_SAMPLE_SAMPLE_RUNNER_H_

#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/statusor.h"

namespace livnd::lab {

struct SampledTrial {
  std::vector<uint32_t> spike_gids;                                // [spike], by time
  std::vector<uint32_t> spike_ticks;                               // since the trial's start
  double failed_at_ms = std::numeric_limits<double>::quiet_NaN();  // since the warm-up's start
  std::vector<float> voltages_mv;                                  // [cell][time]
  std::vector<float> potentials_uv;                                // [electrode][time]
};
using SampledTrials = std::vector<SampledTrial>;  // of one sample

// What a sample comes to is a function of the plan and of its number alone: not of the runner, nor of what
// runs beside it. Thread-compatible.
class SampleRunner {
 public:
  virtual ~SampleRunner() = default;

  // True: Run may be called. False: not at the moment, so ask again. An error: never again; Unavailable where others
  // may do without it.
  virtual absl::StatusOr<bool> Ready() { return true; }

  // How many samples it takes at once with profit.
  virtual int64_t batch() const = 0;

  // The samples first .. first + num - 1 of its plan, in order. Unavailable: nothing came of it, and
  // others may do it, or this one once it is ready; Cancelled: asked to stop. Other errors are those of the samples.
  virtual absl::StatusOr<std::vector<SampledTrials>> Run(int64_t first, int64_t num) = 0;
};

}  // namespace livnd::lab

#endif  // LIVND_LAB_SAMPLE_SAMPLE_RUNNER_H_
