// Time that only passes.
#ifndef LIVND_SERVER_MACHINE_STEADY_TIME_H_
#define LIVND_SERVER_MACHINE_STEADY_TIME_H_

#include <chrono>

#include "absl/time/time.h"

namespace livnd::server {

// Since some moment of this machine's: to be compared with its like in this process, and with nothing
// else. Clocks that are put right move absl::Now() by years; leases, deadlines and all that is measured
// go by this one. It stands still while the machine sleeps, and nobody could have called.
inline absl::Time SteadyNow() {
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_STEADY_TIME_H_
