// What the stimulator of a device can do and its electrodes bear, as data, and whether a plan keeps to it.
#ifndef LIVND_IO_DEVICE_PRESET_STIMULATION_LIMITS_H_
#define LIVND_IO_DEVICE_PRESET_STIMULATION_LIMITS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "io/stimulus/pulse_schedule.h"

namespace livnd::io {

// Absent: no such limit, or none that is known.
struct StimulationLimits {
  std::vector<int32_t> record_only;           // ids of electrodes that take no current
  std::optional<double> max_amplitude_ua;     // of each phase
  std::optional<double> max_phase_charge_nc;  // of each phase on each electrode
  std::optional<double>
      max_electrode_charge_nc;  // of all phases of a plan on each electrode, signs left out
  std::optional<double> max_pulse_rate_hz;  // on each electrode: 1 / interval between onsets
  std::optional<double> time_grid_us;       // start, width, gap and recovery width are multiples
  std::optional<int64_t> max_active_electrodes;  // within pulses (their gaps included) at one time
  bool only_balanced = false;                    // each pulse returns its charge
  bool only_cathodic_first = false;

  // Whether there is any.
  bool any() const;

  // A field error unless the numbers are finite and > 0, and each id is there once.
  absl::Status Validate() const;

  // A field error about the first entry of the plan ("pulses[3].amplitude_ua") that does not keep to the limits, with
  // what was asked for and what the device takes; nothing has run then. electrode_ids are those that the schedule was
  // made for, in their order. Onsets within a train lie on the culture's ticks, not on the device's grid: an interval
  // may be a tick shorter than 1 / max_pulse_rate_hz.
  absl::Status Check(const PulseSchedule& schedule, absl::Span<const int32_t> electrode_ids) const;
};

}  // namespace livnd::io

#endif  // LIVND_IO_DEVICE_PRESET_STIMULATION_LIMITS_H_
