#include "sim/network/connectivity.h"

#include <algorithm>
#include <cmath>

namespace livnd::sim {

int64_t DeliveryStep(double event_time_ms, double dt_ms) {
  int64_t k = std::max<int64_t>(
      0, static_cast<int64_t>(std::ceil((event_time_ms - 0.5 * dt_ms) / dt_ms)) - 1);
  while (static_cast<double>(k) * dt_ms + 0.5 * dt_ms < event_time_ms) ++k;
  return k;
}

}  // namespace livnd::sim
