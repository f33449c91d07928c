#include "lab/parity/case_electrodes.h"

#include <utility>

#include "io/device/sampling_points.h"

namespace livnd::lab {

absl::StatusOr<io::ElectrodeArray> ElectrodesOf(const OracleCase& oracle) {
  io::ElectrodeArrayConfig config;
  for (size_t i = 0; i < oracle.electrodes_um.size(); ++i) {
    config.electrodes.push_back({static_cast<int32_t>(i), oracle.electrodes_um[i]});
  }
  return io::ElectrodeArray::Create(std::move(config));
}

std::vector<io::Point> SectionPoints(const OracleCase& oracle, const sim::Culture& culture,
                                     int max_sections) {
  std::vector<io::Point> points;
  for (const int64_t gid : culture.gids()) {
    const sim::CellGroup& group = culture.groups()[culture.Find(gid).group];
    int section = 0;
    for (const io::Point& p :
         io::SamplingPoints(group.geometry, gid, oracle.position_um.at(gid), oracle.dendrites)) {
      if (section++ < max_sections) points.push_back(p);
    }
  }
  return points;
}

}  // namespace livnd::lab
