#include "io/device/electrode_array_config.h"

#include <cmath>
#include <cstddef>
#include <unordered_set>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "io/device/position.h"

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
  return MakeFieldError(name, Exact(radius_um), "a finite length >= 0 (um)");
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
  return MakeFieldError(name, kUnknownName, accepted);
}

absl::Status VolumeConductor::Validate() const {
  for (const Setting& setting : kSettings) {
    const double value = this->*setting.value;
    if (!std::isfinite(value) || value < 0) {
      return MakeFieldError(setting.name, Exact(value), "a finite number >= 0");
    }
  }
  if (min_distance_um == 0) {
    return MakeFieldError("min_distance_um", "0", "a number > 0");
  }
  const double height_um = std::hypot(electrode_radius_um, culture_height_um);
  if (height_um == 0 || !std::isfinite(height_um)) {
    return MakeFieldError("culture_height_um", absl::StrCat(culture_height_um),
                          absl::StrCat("a number that makes a finite height > 0 with "
                                       "electrode_radius_um = ",
                                       electrode_radius_um));
  }
  return absl::OkStatus();
}

absl::Status ElectrodeArrayConfig::Validate() const {
  if (electrodes.empty() || electrodes.size() > kMaxElectrodes) {
    return MakeFieldError("electrode_coordinates", absl::StrCat(electrodes.size(), " electrodes"),
                          absl::StrCat("1 to ", kMaxElectrodes));
  }
  std::unordered_set<int32_t> ids;
  for (size_t i = 0; i < electrodes.size(); ++i) {
    const Electrode& electrode = electrodes[i];
    const auto field = [&](int column) {
      return absl::StrCat("electrode_coordinates[", i, "][", column, "]");
    };
    if (!ids.insert(electrode.id).second) {
      return MakeFieldError(field(0), absl::StrCat(electrode.id, " for the second time"),
                            "each id once");
    }
    for (int axis = 0; axis < 3; ++axis) {
      absl::Status status = CheckPosition(field(1 + axis), electrode.position_um[axis]);
      if (!status.ok()) return status;
    }
  }
  if (absl::Status status = CheckRadius("input_radius", input_radius_um); !status.ok()) {
    return status;
  }
  if (absl::Status status = CheckRadius("output_radius", output_radius_um); !status.ok()) {
    return status;
  }
  return AtField("volume_conductor", conductor.Validate());
}

}  // namespace livnd::io
