#include "lab/generate/culture_config.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

namespace livnd::lab {

std::vector<int64_t> NumCells(const CultureConfig& config) {
  std::vector<int64_t> counts;
  int64_t counted = 0;
  double ratios = 0.0;
  for (const PopulationConfig& population : config.populations) {
    counts.push_back(population.count.value_or(0));
    counted += counts.back();
    if (!population.count.has_value()) ratios += population.ratio;
  }
  int64_t rest = config.total_cells.value_or(counted) - counted;
  if (rest <= 0 || !(ratios > 0.0)) return counts;
  const auto shared = static_cast<double>(rest);
  std::vector<std::pair<double, size_t>> remainders;
  for (size_t i = 0; i < counts.size(); ++i) {
    const PopulationConfig& population = config.populations[i];
    if (population.count.has_value()) continue;
    const double share = shared * population.ratio / ratios;
    counts[i] = static_cast<int64_t>(std::floor(share));
    rest -= counts[i];
    remainders.emplace_back(share - std::floor(share), i);
  }
  std::stable_sort(remainders.begin(), remainders.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (size_t i = 0; i < remainders.size() && rest > 0; ++i, --rest) ++counts[remainders[i].second];
  return counts;
}

}  // namespace livnd::lab
