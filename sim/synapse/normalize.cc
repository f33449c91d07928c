#include "sim/synapse/normalize.h"

#include <cmath>
#include <map>

namespace livnd::sim {

void NormalizeWeights(absl::Span<const NormalizedWeight> bounds, std::optional<double> target,
                      int max_rounds, absl::Span<double> weights) {
  std::map<int64_t, std::vector<size_t>> groups;
  for (size_t i = 0; i < bounds.size(); ++i) groups[bounds[i].group].push_back(i);
  for (auto& [group, free] : groups) {
    const double sum = target.value_or(static_cast<double>(free.size()));
    double clamped = 0.0;
    for (int round = 0; round < max_rounds; ++round) {
      double free_sum = 0.0;
      for (size_t i : free) free_sum += weights[i];
      const double remaining = sum - clamped;
      if (free_sum <= 0.0 || std::fabs(free_sum - remaining) < 1e-12) break;
      const double scale = remaining / free_sum;
      std::vector<size_t> kept;
      for (size_t i : free) {
        const double w = weights[i] * scale;
        if (w >= bounds[i].w_max) {
          clamped += weights[i] = bounds[i].w_max;
        } else if (w <= bounds[i].w_min) {
          clamped += weights[i] = bounds[i].w_min;
        } else {
          weights[i] = w;
          kept.push_back(i);
        }
      }
      if (kept.size() == free.size()) break;
      free = std::move(kept);
    }
  }
}

}  // namespace livnd::sim
