#include "sim/network/connectivity.h"

#include <algorithm>
#include <cmath>

namespace livnd::sim {

int64_t DeliveryStep(double event_time_ms, double dt_ms) {
  return std::max<int64_t>(0, static_cast<int64_t>(std::ceil(event_time_ms / dt_ms - 0.5)));
}

}  // namespace livnd::sim
