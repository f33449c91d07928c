#include "server/wire/system.h"

#include <algorithm>
#include <array>
#include <vector>

#include "server/wire/tensor.h"

namespace livnd::server {
namespace {

// FLOAT64 [places, 3].
void EncodePlaces(const std::vector<std::array<double, 3>>& places, v1::Tensor* tensor) {
  std::vector<double> flat;
  flat.reserve(places.size() * 3);
  for (const std::array<double, 3>& place : places) {
    flat.insert(flat.end(), place.begin(), place.end());
  }
  EncodeTensor<double>(v1::DATA_TYPE_FLOAT64, {static_cast<int64_t>(places.size()), 3}, flat,
                       tensor);
}

}  // namespace

v1::System EncodeSystem(const io::System& system) {
  v1::System out;
  out.set_name(system.name);
  for (const io::Population& population : system.populations) {
    v1::Population* added = out.add_populations();
    added->set_name(population.name);
    added->set_first_gid(population.first_gid);
    added->set_num_cells(population.num_cells);
  }
  for (const io::Projection& projection : system.projections) {
    v1::Projection* added = out.add_projections();
    added->set_presynaptic(projection.pre);
    added->set_postsynaptic(projection.post);
    added->set_num_edges(static_cast<int64_t>(projection.distance_um.size()));
    if (projection.distance_um.empty()) continue;
    const auto [nearest, farthest] =
        std::minmax_element(projection.distance_um.begin(), projection.distance_um.end());
    added->set_min_distance_um(*nearest);
    added->set_max_distance_um(*farthest);
  }
  EncodePlaces(system.position_um, out.mutable_positions_um());

  std::vector<int64_t> ids;
  std::vector<std::array<double, 3>> places;
  if (system.electrode_array.has_value()) {
    for (const io::Electrode& electrode : system.electrode_array->electrodes) {
      ids.push_back(electrode.id);
      places.push_back(electrode.position_um);
    }
    out.set_output_radius_um(system.electrode_array->output_radius_um);
  }
  EncodeVector(ids, out.mutable_electrode_ids());
  EncodePlaces(places, out.mutable_electrode_positions_um());
  ids.clear();
  places.clear();
  if (system.light_array.has_value()) {
    for (const io::Fiber& fiber : system.light_array->fibers) {
      ids.push_back(fiber.id);
      places.push_back(fiber.position_um);
    }
  }
  EncodeVector(ids, out.mutable_fiber_ids());
  EncodePlaces(places, out.mutable_fiber_positions_um());
  return out;
}

}  // namespace livnd::server
