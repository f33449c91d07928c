#include "io/device/preset/device_presets.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"

namespace livnd::io {
namespace {

// Electrode (column, row) of num_columns x num_rows around a centre.
Electrode Place(int32_t id, int column, int row, int num_columns, int num_rows, double pitch_um,
                const PlanePoint& center_um) {
  return {id,
          {center_um[0] + (column - (num_columns - 1) / 2.0) * pitch_um,
           center_um[1] + (row - (num_rows - 1) / 2.0) * pitch_um, center_um[2]}};
}

}  // namespace

absl::Status Device::Validate() const {
  LIVND_RETURN_IF_ERROR(AtField("array", array.Validate()));
  LIVND_RETURN_IF_ERROR(AtField("limits", limits.Validate()));
  absl::flat_hash_set<int32_t> ids;
  for (const Electrode& electrode : array.electrodes) ids.insert(electrode.id);
  for (size_t i = 0; i < limits.record_only.size(); ++i) {
    if (ids.contains(limits.record_only[i])) continue;
    return MakeFieldError(absl::StrCat("limits.record_only[", i, "]"),
                          absl::StrCat(limits.record_only[i]), "an id of the array");
  }
  return absl::OkStatus();
}

// Layout and numbers: MEA-System Manual, 3.4.1 (square grid of 8 x 8, first digit column, second digit row). 200 um
// between electrodes of 30 um: the product's name. Time grid: STG4002 manual, 5.5 (20 us). Charge: MEA Manual, 8.3
// (23 mC/cm2 for titanium nitride; on a disc of 30 um, 7.07e-6 cm2, 163 nC; "kept safely below"). Current through
// titanium nitride has two phases, the negative one first: the same page. The amplitude depends on the stimulator.
Device Mcs60(const PlanePoint& center_um) {
  Device device;
  for (int column = 0; column < 8; ++column) {
    for (int row = 0; row < 8; ++row) {
      if ((column == 0 || column == 7) && (row == 0 || row == 7)) continue;
      device.array.electrodes.push_back(
          Place(10 * (column + 1) + row + 1, column, row, 8, 8, 200.0, center_um));
    }
  }
  device.limits.max_phase_charge_nc = 163.0;
  device.limits.time_grid_us = 20.0;
  device.limits.only_balanced = true;
  device.limits.only_cathodic_first = true;
  return device;
}

absl::StatusOr<std::vector<int32_t>> MaxOneIds(const MaxOneBlock& block) {
  const auto check = [](absl::string_view field, int64_t value, int64_t low, int64_t high) {
    if (value >= low && value <= high) return absl::OkStatus();
    return MakeFieldError(field, Exact(value), absl::StrCat(low, " .. ", high));
  };
  LIVND_RETURN_IF_ERROR(check("first_column", block.first_column, 0, kMaxOneColumns - 1));
  LIVND_RETURN_IF_ERROR(check("first_row", block.first_row, 0, kMaxOneRows - 1));
  LIVND_RETURN_IF_ERROR(check("stride", block.stride, 1, kMaxOneColumns));
  LIVND_RETURN_IF_ERROR(check("num_columns", block.num_columns, 1,
                              (kMaxOneColumns - 1 - block.first_column) / block.stride + 1));
  const int most_rows = (kMaxOneRows - 1 - block.first_row) / block.stride + 1;
  LIVND_RETURN_IF_ERROR(check("num_rows", block.num_rows, 1,
                              std::min(most_rows, kMaxOneChannels / block.num_columns)));
  std::vector<int32_t> ids;
  for (int row = 0; row < block.num_rows; ++row) {
    for (int column = 0; column < block.num_columns; ++column) {
      ids.push_back(MaxOneId(block.first_column + column * block.stride,
                             block.first_row + row * block.stride));
    }
  }
  return ids;
}

// Müller et al., "High-resolution CMOS MEA platform to study neurons at subcellular, cellular, and network levels"
// (Lab on a Chip 2015): 26,400 electrodes at 17.5 um on 3.85 x 2.10 mm2, 1024 readout channels, 32 stimulation units.
// Time grid: MaxLab Live's sequences count in 50 us. Amplitude and charge are not published for currents.
absl::StatusOr<Device> MaxOne(const PlanePoint& center_um, absl::Span<const int32_t> routed) {
  if (routed.empty() || routed.size() > static_cast<size_t>(kMaxOneChannels)) {
    return MakeFieldError("routed", absl::StrCat(routed.size(), " electrodes"),
                          absl::StrCat("1 to ", kMaxOneChannels));
  }
  Device device;
  absl::flat_hash_set<int32_t> seen;
  for (size_t i = 0; i < routed.size(); ++i) {
    const int32_t id = routed[i];
    if (id < 0 || id >= kMaxOneColumns * kMaxOneRows || !seen.insert(id).second) {
      return MakeFieldError(absl::StrCat("routed[", i, "]"), absl::StrCat(id),
                            absl::StrCat("0 .. ", kMaxOneColumns * kMaxOneRows - 1, ", each once"));
    }
    device.array.electrodes.push_back(Place(id, id % kMaxOneColumns, id / kMaxOneColumns,
                                            kMaxOneColumns, kMaxOneRows, 17.5, center_um));
  }
  device.limits.max_active_electrodes = 32;
  device.limits.time_grid_us = 50.0;
  return device;
}

// Layout: cl-api-doc, "Hello, Neurons" (0 8 16 ... along the first row). Channels that take no current, amplitude and
// grid: docs of cl.app.model; charge of a phase and 200 Hz: cl-sdk 1.0, StimDesign and BurstDesign.
Device Cl1(const PlanePoint& center_um, double pitch_um) {
  Device device;
  for (int32_t id = 0; id < 64; ++id) {
    device.array.electrodes.push_back(Place(id, id / 8, id % 8, 8, 8, pitch_um, center_um));
  }
  device.limits.record_only = {0, 4, 7, 56, 63};
  device.limits.max_amplitude_ua = 3.0;
  device.limits.max_phase_charge_nc = 3.0;
  device.limits.max_pulse_rate_hz = 200.0;
  device.limits.time_grid_us = 20.0;
  return device;
}

}  // namespace livnd::io
