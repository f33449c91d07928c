#include "io/device/preset/device_text.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/device/electrode_array_json.h"
#include "io/device/position.h"
#include "io/json/yaml.h"

namespace livnd::io {
namespace {

constexpr char kPresets[] = "mcs_60, max_one, cl1";

absl::StatusOr<std::vector<int32_t>> ParseIds(const JsonView& view) {
  LIVND_ASSIGN_OR_RETURN(const std::vector<JsonView> elements, view.Elements());
  std::vector<int32_t> ids;
  ids.reserve(elements.size());
  for (const JsonView& element : elements) {
    LIVND_ASSIGN_OR_RETURN(const int64_t id, element.Integer(INT32_MIN, INT32_MAX));
    ids.push_back(static_cast<int32_t>(id));
  }
  return ids;
}

absl::StatusOr<std::vector<int32_t>> ParseBlock(const JsonView& view) {
  MaxOneBlock block;
  LIVND_RETURN_IF_ERROR(
      view.CheckMembers({"first_column", "first_row", "num_columns", "num_rows", "stride"}));
  for (const auto& [name, value] :
       {std::make_pair("first_column", &block.first_column),
        std::make_pair("first_row", &block.first_row),
        std::make_pair("num_columns", &block.num_columns),
        std::make_pair("num_rows", &block.num_rows), std::make_pair("stride", &block.stride)}) {
    LIVND_ASSIGN_OR_RETURN(const auto member, view.Find(name));
    if (!member.has_value()) continue;
    LIVND_ASSIGN_OR_RETURN(const int64_t number, member->Integer(0, kMaxOneColumns));
    *value = static_cast<int>(number);
  }
  absl::StatusOr<std::vector<int32_t>> ids = MaxOneIds(block);
  if (!ids.ok()) return view.Within(ids.status());
  return ids;
}

absl::Status ParseLimits(const JsonView& view, StimulationLimits* limits) {
  LIVND_RETURN_IF_ERROR(
      view.CheckMembers({"record_only", "max_amplitude_ua", "max_phase_charge_nc",
                         "max_electrode_charge_nc", "max_pulse_rate_hz", "time_grid_us",
                         "max_active_electrodes", "only_balanced", "only_cathodic_first"}));
  return view.ForEachMember([&](const std::string& name, const JsonView& value) -> absl::Status {
    if (name == "record_only") {
      limits->record_only.clear();
      if (value.is_null()) return absl::OkStatus();
      LIVND_ASSIGN_OR_RETURN(limits->record_only, ParseIds(value));
      return absl::OkStatus();
    }
    if (name == "only_balanced" || name == "only_cathodic_first") {
      bool& flag = name == "only_balanced" ? limits->only_balanced : limits->only_cathodic_first;
      flag = false;
      if (value.is_null()) return absl::OkStatus();
      LIVND_ASSIGN_OR_RETURN(flag, value.Bool());
      return absl::OkStatus();
    }
    if (name == "max_active_electrodes") {
      limits->max_active_electrodes.reset();
      if (value.is_null()) return absl::OkStatus();
      LIVND_ASSIGN_OR_RETURN(limits->max_active_electrodes, value.Integer(1, INT32_MAX));
      return absl::OkStatus();
    }
    std::optional<double>& limit = name == "max_amplitude_ua"      ? limits->max_amplitude_ua
                                   : name == "max_phase_charge_nc" ? limits->max_phase_charge_nc
                                   : name == "max_electrode_charge_nc"
                                       ? limits->max_electrode_charge_nc
                                   : name == "max_pulse_rate_hz" ? limits->max_pulse_rate_hz
                                                                 : limits->time_grid_us;
    limit.reset();
    if (value.is_null()) return absl::OkStatus();
    LIVND_ASSIGN_OR_RETURN(limit, value.Number());
    return absl::OkStatus();
  });
}

// What only some presets take is refused beside others.
absl::Status CheckMembersOf(const JsonView& document, absl::string_view preset) {
  if (preset == "mcs_60") return document.CheckMembers({"preset", "center_um", "limits"});
  if (preset == "cl1") {
    return document.CheckMembers({"preset", "center_um", "pitch_um", "limits"});
  }
  return document.CheckMembers({"preset", "center_um", "routed", "block", "limits"});
}

absl::StatusOr<Device> MakePreset(const JsonView& document, const std::string& preset,
                                  const PlanePoint& center_um) {
  if (preset == "mcs_60") return Mcs60(center_um);
  if (preset == "cl1") {
    LIVND_ASSIGN_OR_RETURN(const auto pitch, document.Find("pitch_um"));
    if (!pitch.has_value()) return Cl1(center_um);
    LIVND_ASSIGN_OR_RETURN(const double pitch_um, pitch->Number());
    if (!(pitch_um > 0.0 && pitch_um <= 1e6)) return pitch->Refused("a number > 0 up to 1e6 (um)");
    return Cl1(center_um, pitch_um);
  }
  LIVND_ASSIGN_OR_RETURN(const auto routed, document.Find("routed"));
  LIVND_ASSIGN_OR_RETURN(const auto block, document.Find("block"));
  if (routed.has_value() == block.has_value()) {
    return document.Within(MakeFieldError("routed", routed.has_value() ? "beside block" : "absent",
                                          "one of routed and block"));
  }
  std::vector<int32_t> ids;
  if (routed.has_value()) {
    LIVND_ASSIGN_OR_RETURN(ids, ParseIds(*routed));
  } else {
    LIVND_ASSIGN_OR_RETURN(ids, ParseBlock(*block));
  }
  absl::StatusOr<Device> device = MaxOne(center_um, ids);
  if (!device.ok()) return document.Within(device.status());
  return device;
}

// Electrodes too far out are told by what was given for them all.
absl::Status CheckCenter(const JsonView& document, const PlanePoint& center_um,
                         const ElectrodeArrayConfig& array) {
  for (size_t axis = 0; axis < 3; ++axis) {
    const std::string field = absl::StrCat("center_um[", axis, "]");
    for (const Electrode& electrode : array.electrodes) {
      if (CheckPosition(field, electrode.position_um[axis]).ok()) continue;
      return document.Within(
          MakeFieldError(field, Exact(center_um[axis]),
                         absl::StrCat("what has each electrode at ", Exact(-kMaxPositionUm), " .. ",
                                      Exact(kMaxPositionUm), " (um)")));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Device> ParsePreset(const JsonView& document, const JsonView& name) {
  LIVND_ASSIGN_OR_RETURN(const std::string preset, name.String());
  if (preset != "mcs_60" && preset != "max_one" && preset != "cl1") return name.Refused(kPresets);
  LIVND_RETURN_IF_ERROR(CheckMembersOf(document, preset));
  PlanePoint center_um = {0.0, 0.0, 0.0};
  LIVND_ASSIGN_OR_RETURN(const auto center, document.Find("center_um"));
  if (center.has_value()) {
    LIVND_ASSIGN_OR_RETURN(const std::vector<double> numbers, center->Numbers(3));
    std::copy(numbers.begin(), numbers.end(), center_um.begin());
  }
  LIVND_ASSIGN_OR_RETURN(Device device, MakePreset(document, preset, center_um));
  LIVND_RETURN_IF_ERROR(CheckCenter(document, center_um, device.array));
  return device;
}

}  // namespace

absl::StatusOr<Device> ParseDevice(const JsonView& document) {
  LIVND_ASSIGN_OR_RETURN(const auto preset, document.Find("preset"));
  Device device;
  if (preset.has_value()) {
    LIVND_ASSIGN_OR_RETURN(device, ParsePreset(document, *preset));
  } else {
    LIVND_RETURN_IF_ERROR(document.CheckMembers({"array", "limits"}));
    LIVND_ASSIGN_OR_RETURN(const JsonView array, document.Member("array"));
    LIVND_ASSIGN_OR_RETURN(device.array, ParseElectrodeArray(array));
  }
  LIVND_ASSIGN_OR_RETURN(const auto limits, document.Find("limits"));
  if (limits.has_value()) LIVND_RETURN_IF_ERROR(ParseLimits(*limits, &device.limits));
  LIVND_RETURN_IF_ERROR(document.Within(device.Validate()));
  return device;
}

absl::StatusOr<Device> ParseDeviceOf(ElectrodeArrayConfig array, const JsonView& document) {
  LIVND_RETURN_IF_ERROR(document.CheckMembers({"limits"}));
  Device device;
  device.array = std::move(array);
  LIVND_ASSIGN_OR_RETURN(const auto limits, document.Find("limits"));
  if (limits.has_value()) LIVND_RETURN_IF_ERROR(ParseLimits(*limits, &device.limits));
  LIVND_RETURN_IF_ERROR(document.Within(device.Validate()));
  return device;
}

absl::StatusOr<Device> ParseDeviceText(absl::string_view name, absl::string_view text) {
  LIVND_ASSIGN_OR_RETURN(const Json json, ParseYaml(name, text));
  return ParseDevice(JsonView(json, std::string(name)));
}

}  // namespace livnd::io
