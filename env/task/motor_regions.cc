#include "env/task/motor_regions.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "io/device/electrode_array.h"

namespace livnd::env {

std::vector<double> PlacesAlong(const io::ElectrodeArrayConfig& array) {
  std::array<double, 2> low{}, extent{};
  for (size_t axis = 0; axis < 2; ++axis) {
    const auto [least, most] =
        std::minmax_element(array.electrodes.begin(), array.electrodes.end(),
                            [axis](const io::Electrode& a, const io::Electrode& b) {
                              return a.position_um[axis] < b.position_um[axis];
                            });
    low[axis] = least->position_um[axis];
    extent[axis] = most->position_um[axis] - low[axis];
  }
  const size_t longer = extent[1] > extent[0] ? 1 : 0;
  std::vector<double> places;
  for (const io::Electrode& e : array.electrodes) {
    places.push_back(extent[longer] > 0.0 ? (e.position_um[longer] - low[longer]) / extent[longer]
                                          : 0.5);
  }
  return places;
}

absl::StatusOr<MotorRegions> MotorRegions::Create(const io::System& system, double part) {
  const auto array = io::ElectrodeArray::Create(*system.electrode_array);
  if (!array.ok()) return array.status();
  const std::vector<std::vector<uint32_t>> in_reach = array->CellsInReach(system.position_um);
  MotorRegions regions(io::UnitMap::OfElectrodes(in_reach));
  for (const auto& gids : in_reach) {
    regions.num_heard_.push_back(static_cast<double>(gids.size()));
  }
  const std::vector<double> places = PlacesAlong(*system.electrode_array);
  for (size_t e = 0; e < places.size(); ++e) {
    if (places[e] < part) regions.low_.push_back(e);
    if (places[e] > 1.0 - part) regions.high_.push_back(e);
  }
  for (const std::vector<size_t>* region : {&regions.low_, &regions.high_}) {
    if (regions.CellsHeard(*region) > 0.0) continue;
    return InFile(
        system.directory + "/mea.json",
        MakeFieldError("electrode_coordinates",
                       absl::StrCat("an array whose ", region == &regions.low_ ? "low" : "high",
                                    " end hears no cell"),
                       "arrays that hear cells at both ends of their longer side"));
  }
  return regions;
}

void MotorRegions::Hear(absl::Span<const sim::Spike> spikes, double most,
                        absl::Span<float> per_cell) const {
  std::fill(per_cell.begin(), per_cell.end(), 0.0f);
  // Counts are whole numbers far below 2^24, which floats hold.
  units_.ForEach(spikes, 0, [&](const io::UnitSpike& spike) {
    per_cell[static_cast<size_t>(spike.unit)] += 1.0f;
  });
  for (size_t e = 0; e < per_cell.size(); ++e) {
    const double mean = static_cast<double>(per_cell[e]) / std::max(1.0, num_heard_[e]);
    per_cell[e] = static_cast<float>(std::min(mean, most));
  }
}

double MotorRegions::CellsHeard(const std::vector<size_t>& region) const {
  double cells = 0.0;
  for (const size_t e : region) cells += num_heard_[e];
  return cells;
}

double MotorRegions::Activity(const std::vector<size_t>& region,
                              absl::Span<const float> per_cell) const {
  double spikes = 0.0;
  for (const size_t e : region) spikes += static_cast<double>(per_cell[e]) * num_heard_[e];
  return spikes / CellsHeard(region);
}

}  // namespace livnd::env
