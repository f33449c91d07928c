#include "io/device/electrode_array_config.h"

#include <cmath>
#include <cstddef>
#include <unordered_set>

#include "absl/strings/str_cat.h"

namespace livnd::io {
namespace {

constexpr size_t kMaxElectrodes = 65536;

struct Setting {
  absl::string_view name;
  double VolumeConductor::*value;
};

constexpr Setting kSettings[] = {
    {"stimulation_gain", &VolumeConductor::stimulation_gain},
    {"recording_gain", &VolumeConductor::recording_gain},
    {"min_distance_um", &VolumeConductor::min_distance_um},
    {"electrode_radius_um", &VolumeConductor::electrode_radius_um},
    {"culture_height_um", &VolumeConductor::culture_height_um},
};

absl::Status CheckRadius(absl::string_view name, double radius_um) {
  if (std::isfinite(radius_um) && radius_um >= 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": found ", radius_um, ", expected a finite length >= 0 um"));
}

}  // namespace

absl::Status VolumeConductor::Set(absl::string_view name, double value) {
  std::string accepted;
  for (const Setting& setting : kSettings) {
    if (setting.name == name) {
      VolumeConductor changed = *this;
      changed.*setting.value = value;
      absl::Status status = changed.Validate();
      if (status.ok()) *this = changed;
      return status;
    }
    absl::StrAppend(&accepted, accepted.empty() ? "" : ", ", setting.name);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("volume conductor has no parameter \"", name, "\"; accepted are ", accepted));
}

absl::Status VolumeConductor::Validate() const {
  for (const Setting& setting : kSettings) {
    const double value = this->*setting.value;
    if (!std::isfinite(value) || value < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(setting.name, ": found ", value, ", expected a finite number >= 0"));
    }
  }
  if (min_distance_um == 0) {
    return absl::InvalidArgumentError("min_distance_um: found 0, expected > 0");
  }
  const double height_um = std::hypot(electrode_radius_um, culture_height_um);
  if (height_um == 0 || !std::isfinite(height_um)) {
    return absl::InvalidArgumentError(
        "electrode_radius_um and culture_height_um: expected at least one > 0");
  }
  return absl::OkStatus();
}

absl::Status ElectrodeArrayConfig::Validate() const {
  if (electrodes.empty() || electrodes.size() > kMaxElectrodes) {
    return absl::InvalidArgumentError(
        absl::StrCat("electrodes: found ", electrodes.size(), ", expected 1 to ", kMaxElectrodes));
  }
  std::unordered_set<int32_t> ids;
  for (const Electrode& electrode : electrodes) {
    if (!ids.insert(electrode.id).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("electrode id ", electrode.id, " is declared twice"));
    }
    for (const double coordinate : electrode.position_um) {
      if (!std::isfinite(coordinate)) {
        return absl::InvalidArgumentError(
            absl::StrCat("electrode ", electrode.id, ": place is not finite"));
      }
    }
  }
  if (absl::Status status = CheckRadius("input_radius", input_radius_um); !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckRadius("output_radius", output_radius_um); !status.ok()) {
    return status;
  }
  return conductor.Validate();
}

}  // namespace livnd::io
