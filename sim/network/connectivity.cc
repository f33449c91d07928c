#include "sim/network/connectivity.h"

#include <algorithm>
#include <cmath>

namespace livnd::sim {

void FindRuns(Connectivity& net) {
  const std::vector<ConnectionRow>& rows = net.rows;
  net.run_end.resize(rows.size());
  net.alike_end.resize(rows.size());
  int64_t num_alike = 0;
  for (size_t source = 0; source + 1 < net.first_row.size(); ++source) {
    const uint64_t first = net.first_row[source], end = net.first_row[source + 1];
    for (uint64_t r = end; r-- > first;) {
      const bool runs_on = r + 1 < end && rows[r].delay_ms == rows[r + 1].delay_ms &&
                           rows[r].delay_steps == rows[r + 1].delay_steps;
      const bool alike = runs_on && rows[r].weight == rows[r + 1].weight &&
                         rows[r].terminal == rows[r + 1].terminal && rows[r].state < 0 &&
                         rows[r + 1].state < 0;
      net.run_end[r] = runs_on ? net.run_end[r + 1] : static_cast<uint32_t>(r + 1);
      net.alike_end[r] = alike ? net.alike_end[r + 1] : static_cast<uint32_t>(r + 1);
      if (alike) ++num_alike;
    }
  }
  net.targets.clear();
  if (2 * num_alike < static_cast<int64_t>(rows.size())) {
    net.alike_end = {};
    return;
  }
  net.targets.reserve(rows.size());
  for (const ConnectionRow& row : rows) net.targets.push_back(row.target_index);
}

int64_t DeliveryStep(double event_time_ms, double dt_ms) {
  return std::max<int64_t>(0, static_cast<int64_t>(std::ceil(event_time_ms / dt_ms - 0.5)));
}

}  // namespace livnd::sim
