#include "io/device/preset/currents_check.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "io/stimulus/pulse.h"

namespace livnd::io {
namespace {

// Rounding of products is no offence.
constexpr double kSlack = 1.0 + 1e-9;

}  // namespace

CurrentsCheck::CurrentsCheck(const StimulationLimits& limits,
                             absl::Span<const int32_t> electrode_ids, double dt_ms)
    : limits_(limits),
      ids_(electrode_ids.begin(), electrode_ids.end()),
      dt_ms_(dt_ms),
      record_only_(ids_.size()),
      electrodes_(ids_.size()) {
  for (size_t i = 0; i < ids_.size(); ++i) {
    record_only_[i] = std::find(limits.record_only.begin(), limits.record_only.end(), ids_[i]) !=
                      limits.record_only.end();
  }
}

std::string CurrentsCheck::Where(size_t channel, int64_t tick) const {
  return absl::StrCat("on electrode ", ids_[channel], ", ",
                      Exact(static_cast<double>(tick) * (dt_ms_ * 1e3)),
                      " us after the run's start");
}

absl::Status CurrentsCheck::CheckPhase(const Phase& phase, size_t channel) {
  const auto refuse = [&](double value, absl::string_view unit, double limit) {
    return MakeFieldError("",
                          absl::StrCat(Exact(value), " ", unit, " ", Where(channel, phase.begin)),
                          absl::StrCat("at most ", Exact(limit), " on this device"));
  };
  const double charge_nc = std::fabs(phase.charge_nc);
  if (phase.largest_ua > limits_.max_amplitude_ua.value_or(INFINITY) * kSlack) {
    return refuse(phase.largest_ua, "uA", *limits_.max_amplitude_ua);
  }
  if (charge_nc > limits_.max_phase_charge_nc.value_or(INFINITY) * kSlack) {
    return refuse(charge_nc, "nC in a phase", *limits_.max_phase_charge_nc);
  }
  double& all_nc = electrodes_[channel].charge_nc;
  all_nc += charge_nc;
  if (all_nc > limits_.max_electrode_charge_nc.value_or(INFINITY) * kSlack) {
    return refuse(all_nc, "nC so far", *limits_.max_electrode_charge_nc);
  }
  if (!limits_.time_grid_us.has_value()) return absl::OkStatus();
  for (const int64_t ticks : {phase.begin, phase.end}) {
    if (WholeTicks(static_cast<double>(ticks) * (dt_ms_ * 1e3), *limits_.time_grid_us) >= 0)
      continue;
    return MakeFieldError(
        "", absl::StrCat("a phase that begins or ends ", Where(channel, ticks)),
        absl::StrCat("multiples of ", Exact(*limits_.time_grid_us), " (us) on this device"));
  }
  return absl::OkStatus();
}

absl::Status CurrentsCheck::CheckChannel(const sim::Waveform& currents_ua, int64_t sample_ticks,
                                         int64_t start, size_t column, size_t channel) {
  const auto width = static_cast<size_t>(currents_ua.num_channels);
  const int64_t num = currents_ua.num_samples();
  const auto at = [&](int64_t s) {
    return currents_ua.samples[static_cast<size_t>(s) * width + column];
  };
  // The phase that begins with a sample.
  const auto phase_at = [&](int64_t s) -> std::optional<Phase> {
    if (s >= num || at(s) == 0.0) return std::nullopt;
    Phase phase;
    phase.begin = start + s * sample_ticks;
    for (int64_t i = s; i < num && at(i) != 0.0 && (at(i) < 0.0) == (at(s) < 0.0); ++i) {
      phase.end = start + (i + 1) * sample_ticks;
      phase.largest_ua = std::max(phase.largest_ua, std::fabs(at(i)));
      phase.charge_nc += ChargeNc(at(i), sample_ticks, dt_ms_ * 1e3);
    }
    return phase;
  };
  for (int64_t s = 0; s < num;) {
    const std::optional<Phase> first = phase_at(s);
    if (!first.has_value()) {
      ++s;
      continue;
    }
    if (record_only_[channel]) {
      return MakeFieldError("", absl::StrCat("a current ", Where(channel, first->begin)),
                            "electrodes of the device that take current");
    }
    LIVND_RETURN_IF_ERROR(CheckPhase(*first, channel));
    const std::optional<Phase> second = phase_at((first->end - start) / sample_ticks);
    if (second.has_value()) LIVND_RETURN_IF_ERROR(CheckPhase(*second, channel));
    const double net_nc = first->charge_nc + (second.has_value() ? second->charge_nc : 0.0);
    if (limits_.only_balanced && std::fabs(net_nc) > 1e-9 * std::fabs(first->charge_nc)) {
      return MakeFieldError(
          "",
          absl::StrCat("a pulse that leaves ", Exact(net_nc), " nC ", Where(channel, first->begin)),
          "pulses that return their charge on this device");
    }
    if (limits_.only_cathodic_first && first->charge_nc > 0.0) {
      return MakeFieldError("",
                            absl::StrCat("an anodic phase first ", Where(channel, first->begin)),
                            "cathodic phases first on this device");
    }
    int64_t& last = electrodes_[channel].last_onset;
    if (limits_.max_pulse_rate_hz.has_value() && last >= 0) {
      const double least = 1e3 / (*limits_.max_pulse_rate_hz * dt_ms_);
      if (static_cast<double>(first->begin - last) <= least - 1.0) {
        return MakeFieldError(
            "",
            absl::StrCat("a pulse ",
                         Exact(static_cast<double>(first->begin - last) * (dt_ms_ * 1e3)),
                         " us after another one ", Where(channel, first->begin)),
            absl::StrCat("at most ", Exact(*limits_.max_pulse_rate_hz), " Hz on this device"));
      }
    }
    last = first->begin;
    s = ((second.has_value() ? second->end : first->end) - start) / sample_ticks;
  }
  return absl::OkStatus();
}

absl::Status CurrentsCheck::CheckActive(const sim::Waveform& currents_ua, int64_t sample_ticks,
                                        int64_t start) const {
  if (!limits_.max_active_electrodes.has_value()) return absl::OkStatus();
  const auto width = static_cast<std::ptrdiff_t>(currents_ua.num_channels);
  for (int64_t s = 0; s < currents_ua.num_samples(); ++s) {
    const auto row = currents_ua.samples.begin() + s * width;
    const auto active = width - std::count(row, row + width, 0.0);
    if (active <= *limits_.max_active_electrodes) continue;
    return MakeFieldError(
        "",
        absl::StrCat(active, " electrodes at one time, ",
                     Exact(static_cast<double>(start + s * sample_ticks) * (dt_ms_ * 1e3)),
                     " us after the run's start"),
        absl::StrCat("at most ", *limits_.max_active_electrodes, " on this device"));
  }
  return absl::OkStatus();
}

absl::Status CurrentsCheck::Check(const sim::Waveform& currents_ua, int64_t origin) {
  const int64_t sample_ticks = sim::TicksOfSample(currents_ua.sample_dt_ms, dt_ms_);
  const int64_t start = currents_ua.first_tick - origin;
  for (size_t column = 0; column < static_cast<size_t>(currents_ua.num_channels); ++column) {
    const size_t channel =
        currents_ua.channels.empty() ? column : static_cast<size_t>(currents_ua.channels[column]);
    LIVND_RETURN_IF_ERROR(CheckChannel(currents_ua, sample_ticks, start, column, channel));
  }
  return CheckActive(currents_ua, sample_ticks, start);
}

}  // namespace livnd::io
