#include "server/wire/device.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/device/preset/device_text.h"
#include "io/json/json_file.h"
#include "io/json/json_view.h"
#include "server/wire/errors.h"
#include "server/wire/tensor.h"

namespace livnd::server {
namespace {

using io::Json;

constexpr const char* kLimits[] = {
    "record_only",        "max_amplitude_ua", "max_phase_charge_nc",   "max_electrode_charge_nc",
    "max_pulse_rate_hz",  "time_grid_us",     "max_active_electrodes", "only_balanced",
    "only_cathodic_first"};

template <typename T>
void Put(Json* json, const char* name, bool is_there, const T& value) {
  if (is_there) (*json)[name] = value;
}

// FLOAT64 [n, 4], at most as many rows as an array may have places.
absl::StatusOr<std::vector<std::array<double, 4>>> ParseRows(const std::string& field,
                                                             const v1::Tensor& tensor) {
  constexpr int64_t kMaxRows = 65536;
  const auto n = static_cast<int64_t>(tensor.data().size() / (4 * sizeof(double)));
  if (n > kMaxRows) {
    return InvalidField(field, absl::StrCat(n, " rows"), absl::StrCat("1 to ", kMaxRows));
  }
  LIVND_RETURN_IF_ERROR(CheckTensor(field, tensor, v1::DATA_TYPE_FLOAT64, {n, 4}));
  const std::vector<double> numbers = Values<double>(tensor);
  std::vector<std::array<double, 4>> rows(static_cast<size_t>(n));
  for (size_t i = 0; i < rows.size(); ++i) {
    std::copy_n(numbers.begin() + static_cast<std::ptrdiff_t>(4 * i), 4, rows[i].begin());
    const double id = rows[i][0];
    if (id == std::floor(id) && std::fabs(id) <= std::numeric_limits<int32_t>::max()) continue;
    return InvalidField(absl::StrCat(field, "[", i, "][0]"), Exact(id),
                        "an id: a whole number of 32 bits");
  }
  return rows;
}

void EncodeRows(const std::vector<std::array<double, 4>>& rows, v1::Tensor* tensor) {
  std::vector<double> flat;
  for (const auto& row : rows) flat.insert(flat.end(), row.begin(), row.end());
  EncodeTensor<double>(v1::DATA_TYPE_FLOAT64, {static_cast<int64_t>(rows.size()), 4}, flat, tensor);
}

absl::StatusOr<io::ElectrodeArrayConfig> ParseArray(const std::string& field,
                                                    const v1::ElectrodeArray& message) {
  io::ElectrodeArrayConfig array;
  LIVND_ASSIGN_OR_RETURN(const auto rows, ParseRows(absl::StrCat(field, ".electrode_coordinates"),
                                                    message.electrode_coordinates()));
  for (const auto& row : rows) {
    array.electrodes.push_back({static_cast<int32_t>(row[0]), {row[1], row[2], row[3]}});
  }
  if (message.has_input_radius()) array.input_radius_um = message.input_radius();
  if (message.has_output_radius()) array.output_radius_um = message.output_radius();
  const v1::VolumeConductor& conductor = message.volume_conductor();
  if (conductor.has_stimulation_gain()) {
    array.conductor.stimulation_gain = conductor.stimulation_gain();
  }
  if (conductor.has_recording_gain()) array.conductor.recording_gain = conductor.recording_gain();
  if (conductor.has_min_distance_um())
    array.conductor.min_distance_um = conductor.min_distance_um();
  if (conductor.has_electrode_radius_um()) {
    array.conductor.electrode_radius_um = conductor.electrode_radius_um();
  }
  if (conductor.has_culture_height_um()) {
    array.conductor.culture_height_um = conductor.culture_height_um();
  }
  return array;
}

// What a device document says of limits; those that are lifted are null.
absl::StatusOr<Json> LimitsJson(const std::string& field, const v1::StimulationLimits& limits) {
  Json json = Json::object();
  if (limits.record_only_size() > 0) {
    json["record_only"] =
        std::vector<int32_t>(limits.record_only().begin(), limits.record_only().end());
  }
  Put(&json, "max_amplitude_ua", limits.has_max_amplitude_ua(), limits.max_amplitude_ua());
  Put(&json, "max_phase_charge_nc", limits.has_max_phase_charge_nc(), limits.max_phase_charge_nc());
  Put(&json, "max_electrode_charge_nc", limits.has_max_electrode_charge_nc(),
      limits.max_electrode_charge_nc());
  Put(&json, "max_pulse_rate_hz", limits.has_max_pulse_rate_hz(), limits.max_pulse_rate_hz());
  Put(&json, "time_grid_us", limits.has_time_grid_us(), limits.time_grid_us());
  Put(&json, "max_active_electrodes", limits.has_max_active_electrodes(),
      limits.max_active_electrodes());
  Put(&json, "only_balanced", limits.has_only_balanced(), limits.only_balanced());
  Put(&json, "only_cathodic_first", limits.has_only_cathodic_first(), limits.only_cathodic_first());
  for (int i = 0; i < limits.lifted_size(); ++i) {
    const std::string& name = limits.lifted(i);
    const bool is_known =
        std::find(std::begin(kLimits), std::end(kLimits), name) != std::end(kLimits);
    if (is_known && !json.contains(name)) {
      json[name] = nullptr;
      continue;
    }
    return InvalidField(absl::StrCat(field, ".lifted[", i, "]"), name,
                        "a limit that is not given besides: record_only, max_amplitude_ua ...");
  }
  return json;
}

}  // namespace

absl::StatusOr<io::Device> ParseDevice(const std::string& field, const v1::Device& message) {
  // Presets and limits are read where their grammar is known.
  Json json = Json::object();
  io::ElectrodeArrayConfig array;
  if (message.preset().empty()) {
    if (!message.has_array()) {
      return InvalidField(absl::StrCat(field, ".preset"), "empty",
                          "mcs_60, max_one, cl1, or an array");
    }
    LIVND_ASSIGN_OR_RETURN(array, ParseArray(absl::StrCat(field, ".array"), message.array()));
  } else {
    json["preset"] = message.preset();
    if (message.has_array()) {
      return InvalidField(absl::StrCat(field, ".array"), "present", "absent beside a preset");
    }
  }
  if (message.has_center_um()) {
    const std::string place = absl::StrCat(field, ".center_um");
    LIVND_RETURN_IF_ERROR(CheckTensor(place, message.center_um(), v1::DATA_TYPE_FLOAT64, {3}));
    json["center_um"] = Values<double>(message.center_um());
  }
  if (message.routed_size() > 0) {
    json["routed"] = std::vector<int32_t>(message.routed().begin(), message.routed().end());
  }
  if (message.has_block()) {
    const v1::ElectrodeBlock& block = message.block();
    Json& to = json["block"] = Json::object();
    Put(&to, "first_column", block.has_first_column(), block.first_column());
    Put(&to, "first_row", block.has_first_row(), block.first_row());
    Put(&to, "num_columns", block.has_num_columns(), block.num_columns());
    Put(&to, "num_rows", block.has_num_rows(), block.num_rows());
    Put(&to, "stride", block.has_stride(), block.stride());
  }
  Put(&json, "pitch_um", message.has_pitch_um(), message.pitch_um());
  LIVND_ASSIGN_OR_RETURN(json["limits"],
                         LimitsJson(absl::StrCat(field, ".limits"), message.limits()));
  const io::JsonView document(json, "");
  absl::StatusOr<io::Device> device = message.preset().empty()
                                          ? io::ParseDeviceOf(std::move(array), document)
                                          : io::ParseDevice(document);
  if (!device.ok()) return AtField(field, device.status());
  return device;
}

absl::StatusOr<io::LightArrayConfig> ParseLightArray(const std::string& field,
                                                     const v1::LightArray& message) {
  io::LightArrayConfig array;
  LIVND_ASSIGN_OR_RETURN(const auto rows, ParseRows(absl::StrCat(field, ".fiber_coordinates"),
                                                    message.fiber_coordinates()));
  for (const auto& row : rows) {
    array.fibers.push_back({static_cast<int32_t>(row[0]), {row[1], row[2], row[3]}});
  }
  if (message.has_numerical_aperture()) array.numerical_aperture = message.numerical_aperture();
  if (message.has_fiber_radius_um()) array.fiber_radius_um = message.fiber_radius_um();
  if (message.has_wavelength_nm()) array.wavelength_nm = message.wavelength_nm();
  if (message.has_scattering_coefficient()) {
    array.scattering_per_mm = message.scattering_coefficient();
  }
  LIVND_RETURN_IF_ERROR(AtField(field, array.Validate()));
  return array;
}

void EncodeDevice(const io::Device& device, v1::Device* message) {
  v1::ElectrodeArray* array = message->mutable_array();
  std::vector<std::array<double, 4>> rows;
  for (const io::Electrode& e : device.array.electrodes) {
    rows.push_back(
        {static_cast<double>(e.id), e.position_um[0], e.position_um[1], e.position_um[2]});
  }
  EncodeRows(rows, array->mutable_electrode_coordinates());
  array->set_input_radius(device.array.input_radius_um);
  array->set_output_radius(device.array.output_radius_um);
  v1::VolumeConductor* conductor = array->mutable_volume_conductor();
  conductor->set_stimulation_gain(device.array.conductor.stimulation_gain);
  conductor->set_recording_gain(device.array.conductor.recording_gain);
  conductor->set_min_distance_um(device.array.conductor.min_distance_um);
  conductor->set_electrode_radius_um(device.array.conductor.electrode_radius_um);
  conductor->set_culture_height_um(device.array.conductor.culture_height_um);
  const io::StimulationLimits& from = device.limits;
  if (!from.any()) return;
  v1::StimulationLimits* limits = message->mutable_limits();
  limits->mutable_record_only()->Add(from.record_only.begin(), from.record_only.end());
  if (from.max_amplitude_ua.has_value()) limits->set_max_amplitude_ua(*from.max_amplitude_ua);
  if (from.max_phase_charge_nc.has_value()) {
    limits->set_max_phase_charge_nc(*from.max_phase_charge_nc);
  }
  if (from.max_electrode_charge_nc.has_value()) {
    limits->set_max_electrode_charge_nc(*from.max_electrode_charge_nc);
  }
  if (from.max_pulse_rate_hz.has_value()) limits->set_max_pulse_rate_hz(*from.max_pulse_rate_hz);
  if (from.time_grid_us.has_value()) limits->set_time_grid_us(*from.time_grid_us);
  if (from.max_active_electrodes.has_value()) {
    limits->set_max_active_electrodes(*from.max_active_electrodes);
  }
  if (from.only_balanced) limits->set_only_balanced(true);
  if (from.only_cathodic_first) limits->set_only_cathodic_first(true);
}

void EncodeLightArray(const io::LightArrayConfig& array, v1::LightArray* message) {
  std::vector<std::array<double, 4>> rows;
  for (const io::Fiber& f : array.fibers) {
    rows.push_back(
        {static_cast<double>(f.id), f.position_um[0], f.position_um[1], f.position_um[2]});
  }
  EncodeRows(rows, message->mutable_fiber_coordinates());
  message->set_numerical_aperture(array.numerical_aperture);
  message->set_fiber_radius_um(array.fiber_radius_um);
  message->set_wavelength_nm(array.wavelength_nm);
  message->set_scattering_coefficient(array.scattering_per_mm);
}

}  // namespace livnd::server
