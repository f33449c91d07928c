// Whoever runs the trials of evaluations: the engine in this process, or servers.
#ifndef LIVND_LAB_TUNE_EVALUATION_RUNNER_H_
#define LIVND_LAB_TUNE_EVALUATION_RUNNER_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "env/culture/culture_types.h"
#include "io/stimulus/pulse_plan.h"
#include "io/system/system.h"

namespace livnd::lab {

// What cultures are given after their recorded time: a run of trial_ms a plan, one after another.
struct Sweep {
  std::vector<io::PulsePlan> plans;  // none: there is no sweep
  double trial_ms = 0.0;             // whole ms
  bool always = false;               // whatever the recorded time came to (Evaluator::Admits)
};

// Copies of one culture whose noise differs: each begins at rest, with its seed, and has these parameters and no
// others. The warm-up is not recorded.
struct Trials {
  io::ParamList params;
  int num = 1;
  uint64_t first_seed = 0;  // trial k has the seed first_seed + k
  double warmup_ms = 0.0;   // whole ms
  double duration_ms = 0.0;
  Sweep sweep;
};

// So much may the spikes of all trials together take up in the warm-up, again after it, and again in the sweep, at so
// many bytes each.
inline constexpr int64_t kMaxTrialBytes = int64_t{1} << 30;
inline constexpr int64_t kBytesOfSpike = 24;

struct FiredTrials {
  // The spikes of each trial, a copy of the recording, and whether it has failed. Nothing: all failed in the warm-up,
  // or they had too many spikes.
  std::optional<env::CultureRecording> resting;
  // The same of each run of the sweep. None: it was not admitted, all have failed by its end, or they had too many
  // spikes.
  std::vector<env::CultureRecording> evoked;
};

// What trials come to is a function of the culture and of the trials alone. Thread-compatible.
class EvaluationRunner {
 public:
  virtual ~EvaluationRunner() = default;

  // True: Run may be called. False: not at the moment, so ask again. An error: never again; Unavailable where others
  // may do without it.
  virtual absl::StatusOr<bool> Ready() { return true; }

  // Unavailable: nothing came of it, and others may do it, or this one once it is ready. Other errors are those of
  // parameters that the culture refuses.
  virtual absl::StatusOr<FiredTrials> Run(const Trials& trials) = 0;
};

}  // namespace livnd::lab

#endif  // LIVND_LAB_TUNE_EVALUATION_RUNNER_H_
