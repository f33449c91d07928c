// A culture in a closed loop: encode an action, run, decode what it did.
#ifndef LIVND_TOOLS_BENCH_CLOSED_LOOP_H_
#define LIVND_TOOLS_BENCH_CLOSED_LOOP_H_

#include <cstdint>
#include <vector>

#include "sim/gang/gang.h"
#include "tools/bench/subject.h"
#include "tools/bench/worker.h"

namespace livnd::bench {

// Steps of 10 ms of one copy. Each begins with a biphasic pulse, one current an electrode for 1 ms
// and its opposite for the next, and ends with the number of spikes that each electrode hears and
// the mean rate of the cells that fired. Every 100 steps the culture starts over.
class ClosedLoop {
 public:
  // The subject has electrodes; it outlives the loop.
  explicit ClosedLoop(const Subject& subject);

  // {"count": N, "action": [uA of each electrode]}: the CPU seconds of each of the next N steps, the
  // number of spikes in all, and the mean of the rates.
  Json Steps(const Json& request);

 private:
  void Step(const std::vector<double>& action_ua);

  const Subject& subject_;
  sim::Gang gang_;
  int64_t num_steps_ = 0;
  uint32_t num_starts_ = 0;
  std::vector<sim::Spike> spikes_;     // of the last step
  std::vector<double> per_electrode_;  // likewise
  double rate_hz_ = 0.0;               // likewise
};

}  // namespace livnd::bench

#endif  // LIVND_TOOLS_BENCH_CLOSED_LOOP_H_
