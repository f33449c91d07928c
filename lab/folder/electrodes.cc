#include "lab/folder/electrodes.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/device/electrode_grid.h"
#include "io/device/preset/device_text.h"

namespace livnd::lab {
namespace {

using io::Electrode;
using io::ElectrodeArrayConfig;
using io::Json;
using io::JsonView;

constexpr double kPitchUm = 50.0, kInputRadiusUm = 50.0,
                 kOutputRadiusUm = 80.0;  // livn's on a plane

absl::StatusOr<std::vector<Electrode>> Grid(const Extent& extent, double pitch_um, double z_um) {
  absl::StatusOr<std::vector<Electrode>> grid = io::MakeElectrodeGridForArea(
      pitch_um, {extent.min_um[0], extent.min_um[1]}, {extent.max_um[0], extent.max_um[1]}, z_um);
  if (grid.ok()) return grid;
  return MakeFieldError("pitch", Exact(pitch_um),
                        absl::StrCat("a length in um > 0 at which at most 65536 electrodes lie on ",
                                     Exact(extent.max_um[0] - extent.min_um[0]), " x ",
                                     Exact(extent.max_um[1] - extent.min_um[1])));
}

absl::StatusOr<std::vector<Electrode>> Given(const JsonView& rows, double z_um) {
  LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> elements, rows.Elements());
  std::vector<Electrode> electrodes;
  for (const JsonView& row : elements) {
    LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> values, row.Elements());
    if (values.size() != 3 && values.size() != 4) return row.Refused("[id, x, y] or [id, x, y, z]");
    LIVND_ASSIGN_OR_RETURN(const int64_t id, values[0].Integer(INT32_MIN, INT32_MAX));
    Electrode& electrode = electrodes.emplace_back();
    electrode = {static_cast<int32_t>(id), {0.0, 0.0, z_um}};
    for (size_t axis = 0; axis + 1 < values.size(); ++axis) {
      LIVND_ASSIGN_OR_RETURN(electrode.position_um[axis], values[axis + 1].Number());
    }
  }
  return electrodes;
}

absl::StatusOr<ElectrodeArrayConfig> OfDevice(const ElectrodeRequest& request, const Extent& extent,
                                              double z_um) {
  Json device = *request.device;
  if (device.is_object() && device.contains("preset") && !device.contains("center_um")) {
    device["center_um"] = {extent.Middle(0), extent.Middle(1), z_um};
  }
  LIVND_ASSIGN_OR_RETURN(io::Device parsed, io::ParseDevice(JsonView(device, request.device_name)));
  return std::move(parsed.array);
}

}  // namespace

Extent ExtentOf(const io::System& system) {
  Extent extent;
  bool first = true;
  const auto add = [&](const std::array<double, 3>& place_um) {
    for (size_t axis = 0; axis < 3; ++axis) {
      double &least = extent.min_um[axis], &most = extent.max_um[axis];
      least = first ? place_um[axis] : std::min(least, place_um[axis]);
      most = first ? place_um[axis] : std::max(most, place_um[axis]);
    }
    first = false;
  };
  for (const io::LayerExtent& layer : system.layers) {
    add(layer.min_um);
    add(layer.max_um);
  }
  if (system.layers.empty()) {
    for (const auto& place_um : system.position_um) add(place_um);
  }
  for (size_t axis = 0; system.area.has_value() && axis < 2; ++axis) {
    extent.min_um[axis] = system.area->min_um[axis];
    extent.max_um[axis] = system.area->max_um[axis];
  }
  return extent;
}

absl::StatusOr<ElectrodeArrayConfig> MakeElectrodes(const io::System& system,
                                                    const ElectrodeRequest& request) {
  const Extent extent = ExtentOf(system);
  const double z_um = request.z_um.value_or(extent.Middle(2));
  ElectrodeArrayConfig array;
  if (request.device != nullptr) {
    LIVND_ASSIGN_OR_RETURN(array, OfDevice(request, extent, z_um));
  } else if (request.coordinates == nullptr && !request.pitch_um.has_value() &&
             !system.area.has_value()) {
    io::ElectrodeGrid grid;
    grid.z_um = request.z_um.value_or(grid.z_um);
    LIVND_ASSIGN_OR_RETURN(array.electrodes, io::MakeElectrodeGrid(grid));
  } else {
    array.input_radius_um = kInputRadiusUm;
    array.output_radius_um = kOutputRadiusUm;
    if (request.coordinates != nullptr) {
      LIVND_ASSIGN_OR_RETURN(array.electrodes, Given(*request.coordinates, z_um));
    } else {
      LIVND_ASSIGN_OR_RETURN(array.electrodes,
                             Grid(extent, request.pitch_um.value_or(kPitchUm), z_um));
    }
  }
  array.input_radius_um = request.input_radius_um.value_or(array.input_radius_um);
  array.output_radius_um = request.output_radius_um.value_or(array.output_radius_um);
  LIVND_RETURN_IF_ERROR(array.Validate());
  return array;
}

}  // namespace livnd::lab
