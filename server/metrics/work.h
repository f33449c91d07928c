// How much has been simulated.
#ifndef LIVND_SERVER_METRICS_WORK_H_
#define LIVND_SERVER_METRICS_WORK_H_

#include <cstdint>

namespace livnd::server {

// Of all copies together. A value.
struct Work {
  int64_t steps = 0;               // of copies with a task; a call that only resets a copy is none
  int64_t episodes = 0;            // begun, by Reset or autoreset
  double simulated_s = 0.0;        // of cultures, with a task or without one
  int64_t numerical_failures = 0;  // copies that left the range of numbers

  Work& operator+=(const Work& more) {
    steps += more.steps;
    episodes += more.episodes;
    simulated_s += more.simulated_s;
    numerical_failures += more.numerical_failures;
    return *this;
  }
  friend Work operator-(const Work& a, const Work& b) {
    return {a.steps - b.steps, a.episodes - b.episodes, a.simulated_s - b.simulated_s,
            a.numerical_failures - b.numerical_failures};
  }
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_METRICS_WORK_H_
