#include "io/culture/stimulation_map.h"

#include <vector>

namespace livnd::io {
namespace {

// Between soma and dendrite of livn 2.0.0's excitatory RCSD cell, uS (nA a mV).
constexpr double kCouplingUs = 0.3470602054;
// tau_m g_L of livn 2.0.0's GLIF cells, pF.
constexpr double kGlifCapacitancePf = 16.7;

}  // namespace

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

std::shared_ptr<const sim::StimulusMap> ElectrodeCurrentMap(
    const ElectrodeArray& array, const System& system, const sim::Culture& culture,
    const sim::PointModelConfig& model, const DendriteOrientation& orientation) {
  sim::CellGeometry geometry;
  geometry.has_dendrite = true;
  std::vector<Point> points;  // soma and dendrite of each cell
  for (const int64_t gid : culture.gids()) {
    for (const Point& p : SamplingPoints(geometry, gid, system.position_um[gid], orientation)) {
      points.push_back(p);
    }
  }
  const double na_of_mv = model.kind == sim::PointModelConfig::Kind::kIzhikevich
                              ? kCouplingUs / kGlifCapacitancePf
                              : kCouplingUs;
  auto map = std::make_shared<sim::StimulusMap>();
  map->num_channels = static_cast<int>(array.num_electrodes());
  const std::vector<double> mv = array.StimulationGains(points);
  for (size_t i = 0; i < mv.size(); i += 2) map->gains.push_back(na_of_mv * (mv[i + 1] - mv[i]));
  return map;
}

}  // namespace livnd::io
