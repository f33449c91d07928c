#include "io/device/sampling_points.h"

#include <cmath>

#include "sim/cell/rcsd/rcsd_template.h"

namespace livnd::io {

std::vector<std::array<double, 3>> SamplingPoints(const sim::CellGeometry& geometry, int64_t gid,
                                                  const std::array<double, 3>& soma_um,
                                                  const DendriteOrientation& orientation) {
  constexpr double kTwoPi = 6.283185307179586;
  const double angle =
      orientation.aligned ? 0.0 : kTwoPi * sim::StableUniform(gid, orientation.seed);
  const double dx = std::cos(angle), dy = std::sin(angle);
  std::vector<std::array<double, 3>> points = {soma_um};
  auto at = [&](double along_um) {
    points.push_back({soma_um[0] + dx * along_um, soma_um[1] + dy * along_um, soma_um[2]});
  };
  if (geometry.has_dendrite) at(orientation.dendrite_offset_um);
  for (int i = 0; i < geometry.num_axon_sections; ++i) at(-geometry.axon_section_um * (i + 0.5));
  return points;
}

}  // namespace livnd::io
