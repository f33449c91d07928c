#include "io/device/electrode_array_json.h"

#include <cstdint>
#include <string>
#include <vector>

#include "base/status_macros.h"

namespace livnd::io {
namespace {

absl::Status ParseElectrodes(const JsonView& rows, std::vector<Electrode>& electrodes) {
  LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> elements, rows.Elements());
  electrodes.reserve(elements.size());
  for (const JsonView& row : elements) {
    LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> values, row.Elements(4));
    Electrode electrode;
    LIVND_ASSIGN_OR_RETURN(const int64_t id, values[0].Integer(INT32_MIN, INT32_MAX));
    electrode.id = static_cast<int32_t>(id);
    for (int axis = 0; axis < 3; ++axis) {
      LIVND_ASSIGN_OR_RETURN(electrode.position_um[axis], values[axis + 1].Number());
    }
    electrodes.push_back(electrode);
  }
  return absl::OkStatus();
}

absl::Status ParseNumber(const JsonView& object, absl::string_view name, double& value) {
  LIVND_ASSIGN_OR_RETURN(const auto member, object.Find(name));
  if (!member.has_value()) return absl::OkStatus();
  LIVND_ASSIGN_OR_RETURN(value, member->Number());
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ElectrodeArrayConfig> ParseElectrodeArray(const JsonView& document) {
  LIVND_RETURN_IF_ERROR(document.CheckMembers(
      {"electrode_coordinates", "input_radius", "output_radius", "volume_conductor"}));
  ElectrodeArrayConfig config;
  LIVND_ASSIGN_OR_RETURN(const JsonView rows, document.Member("electrode_coordinates"));
  LIVND_RETURN_IF_ERROR(ParseElectrodes(rows, config.electrodes));
  LIVND_RETURN_IF_ERROR(ParseNumber(document, "input_radius", config.input_radius_um));
  LIVND_RETURN_IF_ERROR(ParseNumber(document, "output_radius", config.output_radius_um));
  LIVND_ASSIGN_OR_RETURN(const auto conductor, document.Find("volume_conductor"));
  if (conductor.has_value()) {
    LIVND_RETURN_IF_ERROR(conductor->ForEachMember(
        [&](const std::string& name, const JsonView& value) -> absl::Status {
          LIVND_ASSIGN_OR_RETURN(const double number, value.Number());
          return conductor->Within(config.conductor.Set(name, number));
        }));
  }
  LIVND_RETURN_IF_ERROR(document.Within(config.Validate()));
  return config;
}

Json ElectrodeArrayToJson(const ElectrodeArrayConfig& config) {
  Json rows = Json::array();
  for (const Electrode& electrode : config.electrodes) {
    const auto& place = electrode.position_um;
    rows.push_back({static_cast<double>(electrode.id), place[0], place[1], place[2]});
  }
  const VolumeConductor& conductor = config.conductor;
  return {{"electrode_coordinates", std::move(rows)},
          {"input_radius", config.input_radius_um},
          {"output_radius", config.output_radius_um},
          {"volume_conductor",
           {{"stimulation_gain", conductor.stimulation_gain},
            {"recording_gain", conductor.recording_gain},
            {"min_distance_um", conductor.min_distance_um},
            {"electrode_radius_um", conductor.electrode_radius_um},
            {"culture_height_um", conductor.culture_height_um}}}};
}

}  // namespace livnd::io
