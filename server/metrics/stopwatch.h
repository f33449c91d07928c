// Stretches of time.
#ifndef LIVND_SERVER_METRICS_STOPWATCH_H_
#define LIVND_SERVER_METRICS_STOPWATCH_H_

#include <chrono>
#include <utility>

#include "absl/time/time.h"

namespace livnd::server {

// Measures from one Lap to the next, the first from construction. A value.
class Stopwatch {
 public:
  absl::Duration Lap() {
    const Clock::time_point from = std::exchange(from_, Clock::now());
    return absl::FromChrono(from_ - from);
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point from_ = Clock::now();
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_METRICS_STOPWATCH_H_
