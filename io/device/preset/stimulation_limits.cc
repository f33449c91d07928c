#include "io/device/preset/stimulation_limits.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <queue>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"

namespace livnd::io {
namespace {

// Rounding of products is no offence.
constexpr double kSlack = 1.0 + 1e-9;

std::string Place(int32_t entry, absl::string_view field) {
  return absl::StrCat("pulses[", entry, "].", field);
}

absl::Status CheckAtMost(const std::optional<double>& limit, absl::string_view field, double value,
                         absl::string_view what) {
  if (!limit.has_value() || value <= *limit * kSlack) return absl::OkStatus();
  return MakeFieldError(field, absl::StrCat(Exact(value), " ", what),
                        absl::StrCat("at most ", Exact(*limit), " on this device"));
}

absl::Status CheckShapes(const StimulationLimits& limits, const PulsePlan& plan) {
  const absl::flat_hash_set<int32_t> record_only(limits.record_only.begin(),
                                                 limits.record_only.end());
  for (size_t i = 0; i < plan.pulses.size(); ++i) {
    const ElectrodePulses& entry = plan.pulses[i];
    const auto number = static_cast<int32_t>(i);
    for (size_t k = 0; k < entry.electrodes.size(); ++k) {
      if (!record_only.contains(entry.electrodes[k])) continue;
      return MakeFieldError(Place(number, absl::StrCat("electrodes[", k, "]")),
                            absl::StrCat(entry.electrodes[k], ", which takes no current"),
                            "an electrode of the device that does");
    }
    if (limits.only_balanced && entry.shape == PulseShape::kMonophasic) {
      return MakeFieldError(Place(number, "shape"), "monophasic", "biphasic on this device");
    }
    if (limits.only_cathodic_first && !entry.cathodic_first) {
      return MakeFieldError(Place(number, "cathodic_first"), "false", "true on this device");
    }
    if (!limits.time_grid_us.has_value()) continue;
    for (const auto& [field, length_us] :
         {std::make_pair("start_us", entry.train.start_us),
          std::make_pair("width_us", entry.width_us), std::make_pair("gap_us", entry.gap_us),
          std::make_pair("recovery_width_us", entry.recovery_width_us.value_or(0.0))}) {
      if (WholeTicks(length_us, *limits.time_grid_us) >= 0) continue;
      return MakeFieldError(
          Place(number, field), Exact(length_us),
          absl::StrCat("a multiple of ", Exact(*limits.time_grid_us), " (us) on this device"));
    }
  }
  return absl::OkStatus();
}

// Pulses after the first of a train, and phases that follow from others.
absl::Status CheckTimes(const StimulationLimits& limits, const PulseSchedule& schedule) {
  if (!limits.time_grid_us.has_value()) return absl::OkStatus();
  const auto off_grid_us = [&](int64_t ticks) -> std::optional<double> {
    const double us = static_cast<double>(ticks) * schedule.tick_us();
    if (WholeTicks(us, *limits.time_grid_us) >= 0) return std::nullopt;
    return us;
  };
  const std::string accepted =
      absl::StrCat("a multiple of ", Exact(*limits.time_grid_us), " (us) on this device");
  const PulseTrack& track = schedule.currents();
  for (const ScheduledPulse& pulse : track.pulses) {
    if (const auto us = off_grid_us(pulse.start_tick)) {
      return MakeFieldError(Place(pulse.entry, "rate_hz"),
                            absl::StrCat("a pulse at ", Exact(*us), " us"), accepted);
    }
    const PulsePhases& phases = track.entries[static_cast<size_t>(pulse.entry)].phases;
    if (const auto us = off_grid_us(phases.recovery_ticks)) {
      return MakeFieldError(Place(pulse.entry, "recovery_amplitude_ua"),
                            absl::StrCat("a recovery of ", Exact(*us), " us"), accepted);
    }
  }
  return absl::OkStatus();
}

absl::Status CheckLevels(const StimulationLimits& limits, const PulseSchedule& schedule) {
  const PulseTrack& track = schedule.currents();
  for (const ScheduledPulse& pulse : track.pulses) {
    const PulsePhases& phases = track.entries[static_cast<size_t>(pulse.entry)].phases;
    const double first_ua = std::fabs(pulse.level.first_ua);
    const double recovery_ua = std::fabs(pulse.level.recovery_ua);
    const ElectrodePulses& entry = schedule.plan().pulses[static_cast<size_t>(pulse.entry)];
    const bool by_last = first_ua > std::fabs(entry.amplitude_ua);
    LIVND_RETURN_IF_ERROR(CheckAtMost(
        limits.max_amplitude_ua, Place(pulse.entry, by_last ? "last_amplitude_ua" : "amplitude_ua"),
        first_ua, "uA"));
    LIVND_RETURN_IF_ERROR(CheckAtMost(
        limits.max_amplitude_ua, Place(pulse.entry, "recovery_amplitude_ua"), recovery_ua, "uA"));
    // The recovery has the same charge.
    LIVND_RETURN_IF_ERROR(CheckAtMost(limits.max_phase_charge_nc, Place(pulse.entry, "width_us"),
                                      ChargeNc(first_ua, phases.first_ticks, schedule.tick_us()),
                                      "nC in a phase"));
  }
  return absl::OkStatus();
}

// Rates and charges of each electrode, in the order of time.
absl::Status CheckElectrodes(const StimulationLimits& limits, const PulseSchedule& schedule,
                             absl::Span<const int32_t> electrode_ids) {
  struct Electrode {
    const ScheduledPulse* last = nullptr;
    double charge_nc = 0.0;
  };
  std::vector<Electrode> electrodes(electrode_ids.size());
  const PulseTrack& track = schedule.currents();
  const double tick_us = schedule.tick_us();
  for (const ScheduledPulse& pulse : track.pulses) {
    const ScheduledEntry& entry = track.entries[static_cast<size_t>(pulse.entry)];
    const double charge_nc =
        std::fabs(ChargeNc(pulse.level.first_ua, entry.phases.first_ticks, tick_us)) +
        std::fabs(ChargeNc(pulse.level.recovery_ua, entry.phases.recovery_ticks, tick_us));
    for (const int channel : entry.channels) {
      Electrode& electrode = electrodes[static_cast<size_t>(channel)];
      if (electrode.last != nullptr && limits.max_pulse_rate_hz.has_value()) {
        const int64_t interval = pulse.start_tick - electrode.last->start_tick;
        const double least = 1e6 / (*limits.max_pulse_rate_hz * tick_us);
        if (static_cast<double>(interval) <= least - 1.0) {
          return MakeFieldError(
              Place(pulse.entry, electrode.last->entry == pulse.entry ? "rate_hz" : "start_us"),
              absl::StrCat("a pulse ", Exact(static_cast<double>(interval) * tick_us),
                           " us after another one on electrode ",
                           electrode_ids[static_cast<size_t>(channel)]),
              absl::StrCat("at most ", Exact(*limits.max_pulse_rate_hz), " Hz on this device"));
        }
      }
      electrode.last = &pulse;
      electrode.charge_nc += charge_nc;
      LIVND_RETURN_IF_ERROR(CheckAtMost(
          limits.max_electrode_charge_nc, Place(pulse.entry, "num_pulses"), electrode.charge_nc,
          absl::StrCat("nC so far on electrode ", electrode_ids[static_cast<size_t>(channel)])));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckActive(const StimulationLimits& limits, const PulseSchedule& schedule) {
  if (!limits.max_active_electrodes.has_value()) return absl::OkStatus();
  const PulseTrack& track = schedule.currents();
  using End = std::pair<int64_t, int64_t>;  // tick, electrodes
  std::priority_queue<End, std::vector<End>, std::greater<End>> ends;
  int64_t active = 0;
  for (const ScheduledPulse& pulse : track.pulses) {
    const ScheduledEntry& entry = track.entries[static_cast<size_t>(pulse.entry)];
    for (; !ends.empty() && ends.top().first <= pulse.start_tick; ends.pop()) {
      active -= ends.top().second;
    }
    const auto more = static_cast<int64_t>(entry.channels.size());
    active += more;
    ends.push({pulse.start_tick + entry.phases.num_ticks(), more});
    if (active <= *limits.max_active_electrodes) continue;
    return MakeFieldError(
        Place(pulse.entry, "electrodes"),
        absl::StrCat(active, " at one time, ",
                     Exact(static_cast<double>(pulse.start_tick) * schedule.tick_us()),
                     " us after the plan's start"),
        absl::StrCat("at most ", *limits.max_active_electrodes, " on this device"));
  }
  return absl::OkStatus();
}

}  // namespace

bool StimulationLimits::any() const {
  return !record_only.empty() || max_amplitude_ua.has_value() || max_phase_charge_nc.has_value() ||
         max_electrode_charge_nc.has_value() || max_pulse_rate_hz.has_value() ||
         time_grid_us.has_value() || max_active_electrodes.has_value() || only_balanced ||
         only_cathodic_first;
}

absl::Status StimulationLimits::Validate() const {
  for (const auto& [field, value] :
       {std::make_pair("max_amplitude_ua", max_amplitude_ua),
        std::make_pair("max_phase_charge_nc", max_phase_charge_nc),
        std::make_pair("max_electrode_charge_nc", max_electrode_charge_nc),
        std::make_pair("max_pulse_rate_hz", max_pulse_rate_hz),
        std::make_pair("time_grid_us", time_grid_us),
        std::make_pair("max_active_electrodes",
                       max_active_electrodes.has_value()
                           ? std::optional<double>(static_cast<double>(*max_active_electrodes))
                           : std::nullopt)}) {
    if (!value.has_value() || (*value > 0.0 && std::isfinite(*value))) continue;
    return MakeFieldError(field, Exact(*value), "a finite number > 0");
  }
  absl::flat_hash_set<int32_t> seen;
  for (size_t i = 0; i < record_only.size(); ++i) {
    if (seen.insert(record_only[i]).second) continue;
    return MakeFieldError(absl::StrCat("record_only[", i, "]"),
                          absl::StrCat(record_only[i], " for the second time"), "each id once");
  }
  return absl::OkStatus();
}

absl::Status StimulationLimits::Check(const PulseSchedule& schedule,
                                      absl::Span<const int32_t> electrode_ids) const {
  LIVND_RETURN_IF_ERROR(CheckShapes(*this, schedule.plan()));
  LIVND_RETURN_IF_ERROR(CheckTimes(*this, schedule));
  LIVND_RETURN_IF_ERROR(CheckLevels(*this, schedule));
  LIVND_RETURN_IF_ERROR(CheckElectrodes(*this, schedule, electrode_ids));
  return CheckActive(*this, schedule);
}

}  // namespace livnd::io
