#include "env/recording/device_rows.h"

#include <cstddef>
#include <utility>

#include "io/recording/streams.h"

namespace livnd::env {
namespace {

// Of Electrode or Fiber.
template <typename Channel>
std::string RowsOf(const std::vector<Channel>& channels) {
  std::string rows;
  for (const Channel& channel : channels) {
    io::AppendValue(channel.id, &rows);
    for (const double um : channel.position_um) io::AppendValue(um, &rows);
  }
  return rows;
}

}  // namespace

DeviceRows::DeviceRows(const io::ElectrodeArrayConfig* electrodes,
                       const io::LightArrayConfig* fibers, std::vector<io::StreamSpec>* streams) {
  const auto add = [&](io::StreamSpec stream, std::string rows) {
    places_.push_back({static_cast<int>(streams->size()), std::move(rows)});
    streams->push_back(std::move(stream));
  };
  if (electrodes != nullptr) {
    add(io::PlacesStream(io::kElectrodes, {{"input_radius_um", electrodes->input_radius_um},
                                           {"output_radius_um", electrodes->output_radius_um}}),
        RowsOf(electrodes->electrodes));
  }
  if (fibers != nullptr) {
    add(io::PlacesStream(io::kFibers, {{"numerical_aperture", fibers->numerical_aperture},
                                       {"fiber_radius_um", fibers->fiber_radius_um},
                                       {"wavelength_nm", fibers->wavelength_nm},
                                       {"scattering_per_mm", fibers->scattering_per_mm}}),
        RowsOf(fibers->fibers));
  }
}

void DeviceRows::AddPlaces(absl::Span<std::string> rows) const {
  for (const Places& places : places_) rows[static_cast<size_t>(places.stream)] += places.rows;
}

}  // namespace livnd::env
