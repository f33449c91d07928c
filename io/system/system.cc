#include "io/system/system.h"

#include <cstddef>

namespace livnd::io {

uint64_t System::num_edges() const {
  uint64_t total = 0;
  for (const Projection& projection : projections) total += projection.source_gid.size();
  return total;
}

int System::FindPopulation(absl::string_view population_name) const {
  for (size_t i = 0; i < populations.size(); ++i) {
    if (populations[i].name == population_name) return static_cast<int>(i);
  }
  return -1;
}

int System::PopulationOf(uint32_t gid) const {
  for (size_t i = 0; i < populations.size(); ++i) {
    const Population& p = populations[i];
    if (gid >= p.first_gid && gid - p.first_gid < p.num_cells) return static_cast<int>(i);
  }
  return -1;
}

const ProjectionConfig* System::FindProjectionConfig(absl::string_view post,
                                                     absl::string_view pre) const {
  for (const ProjectionConfig& config : projection_configs) {
    if (config.post == post && config.pre == pre) return &config;
  }
  return nullptr;
}

}  // namespace livnd::io
