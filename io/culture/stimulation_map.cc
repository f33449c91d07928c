#include "io/culture/stimulation_map.h"

#include <vector>

namespace livnd::io {

std::shared_ptr<const sim::StimulusMap> ElectrodeStimulationMap(
    const ElectrodeArray& array, const System& system, const sim::Culture& culture,
    const DendriteOrientation& orientation) {
  std::vector<Point> points;
  for (int64_t gid : culture.gids()) {
    const sim::CellGroup& group = culture.groups()[culture.Find(gid).group];
    for (const Point& p :
         SamplingPoints(group.geometry, gid, system.position_um[gid], orientation)) {
      points.push_back(p);
    }
  }
  auto map = std::make_shared<sim::StimulusMap>();
  map->num_channels = static_cast<int>(array.num_electrodes());
  if (array.num_electrodes() * points.size() * sizeof(double) > kMaxGainBytes) {
    map->sources = array.StimulationSources(points);
  } else {
    map->gains = array.StimulationGains(points);
  }
  return map;
}

}  // namespace livnd::io
