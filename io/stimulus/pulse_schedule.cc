#include "io/stimulus/pulse_schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"

namespace livnd::io {
namespace {

using ChannelIndex = absl::flat_hash_map<int32_t, int>;

ChannelIndex IndexOf(absl::Span<const int32_t> ids) {
  ChannelIndex index;
  for (size_t i = 0; i < ids.size(); ++i) index.emplace(ids[i], static_cast<int>(i));
  return index;
}

absl::Status FindChannels(absl::string_view field, absl::string_view what,
                          const std::vector<int32_t>& ids, const ChannelIndex& index,
                          std::vector<int>* channels) {
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto found = index.find(ids[i]);
    if (found == index.end()) {
      return MakeFieldError(absl::StrCat(field, "[", i, "]"), absl::StrCat(ids[i]),
                            absl::StrCat("one of the device's ", index.size(), " ", what));
    }
    channels->push_back(found->second);
  }
  return absl::OkStatus();
}

// A length in whole ticks, `min` at least.
absl::Status ToTicks(absl::string_view field, double length_us, double tick_us, int64_t min,
                     int64_t* ticks) {
  *ticks = WholeTicks(length_us, tick_us);
  if (*ticks >= min) return absl::OkStatus();
  return MakeFieldError(
      field, Exact(length_us),
      absl::StrCat("a multiple of the tick, ", Exact(tick_us), min > 0 ? ", not 0 (us)" : " (us)"));
}

absl::Status FindPhases(const ElectrodePulses& entry, double tick_us, PulsePhases* phases) {
  LIVND_RETURN_IF_ERROR(ToTicks("width_us", entry.width_us, tick_us, 1, &phases->first_ticks));
  if (entry.shape == PulseShape::kMonophasic) return absl::OkStatus();
  LIVND_RETURN_IF_ERROR(ToTicks("gap_us", entry.gap_us, tick_us, 0, &phases->gap_ticks));
  phases->recovery_ticks = phases->first_ticks;
  if (entry.recovery_width_us.has_value()) {
    LIVND_RETURN_IF_ERROR(ToTicks("recovery_width_us", *entry.recovery_width_us, tick_us, 1,
                                  &phases->recovery_ticks));
  }
  if (!entry.recovery_amplitude_ua.has_value()) return absl::OkStatus();
  const double amplitude_ua = *entry.recovery_amplitude_ua;
  const double charge = entry.amplitude_ua * static_cast<double>(phases->first_ticks);
  if (!entry.recovery_width_us.has_value()) {
    phases->recovery_ticks = WholeTicks(charge / amplitude_ua * tick_us, tick_us);
  }
  const auto ticks = static_cast<double>(phases->recovery_ticks);
  if (ticks >= 1.0 && ticks * tick_us <= PulsePlan::kMaxPhaseUs &&
      std::fabs(amplitude_ua * ticks - charge) <= 1e-6 * amplitude_ua) {
    return absl::OkStatus();
  }
  return MakeFieldError(
      "recovery_amplitude_ua", Exact(amplitude_ua),
      absl::StrCat("what takes up amplitude_ua x width_us in whole ticks of ", Exact(tick_us),
                   " us, or in recovery_width_us if that is given"));
}

// The onsets of a train's pulses within a burst, ticks.
std::vector<int64_t> OnsetsOf(const PulseTrain& train, double tick_us) {
  std::vector<int64_t> onsets;
  onsets.reserve(static_cast<size_t>(train.num_pulses));
  const auto round = [](double x) { return static_cast<int64_t>(std::floor(x + 0.5)); };
  double sum = 0.0;
  for (int64_t k = 0; k < train.num_pulses; ++k) {
    const auto number = static_cast<double>(k);
    if (!train.last_rate_hz.has_value()) {
      onsets.push_back(k == 0 ? 0 : round(number * 1e6 / (train.rate_hz * tick_us)));
      continue;
    }
    onsets.push_back(round(sum));
    const double part =
        train.num_pulses > 2 ? number / static_cast<double>(train.num_pulses - 2) : 0.0;
    sum += 1e6 / ((train.rate_hz + (*train.last_rate_hz - train.rate_hz) * part) * tick_us);
  }
  return onsets;
}

// The level of pulse k of a train.
double LevelOf(double first, const std::optional<double>& last, int64_t k, int64_t num_pulses) {
  if (!last.has_value() || num_pulses == 1) return first;
  return first + (*last - first) * (static_cast<double>(k) / static_cast<double>(num_pulses - 1));
}

// Appends the pulses of one entry; level(k) are the currents of pulse k.
template <typename Level>
absl::Status AppendPulses(const PulseTrain& train, int entry, double tick_us, const Level& level,
                          PulseTrack* track) {
  int64_t start = 0;
  LIVND_RETURN_IF_ERROR(ToTicks("start_us", train.start_us, tick_us, 0, &start));
  const std::vector<int64_t> onsets = OnsetsOf(train, tick_us);
  const PulseTrain bursts{0.0, train.num_bursts, train.burst_rate_hz, std::nullopt, 1, 0.0};
  const std::vector<int64_t> burst_onsets = OnsetsOf(bursts, tick_us);
  const int64_t length = track->entries[static_cast<size_t>(entry)].phases.num_ticks();
  for (size_t b = 0; b < burst_onsets.size(); ++b) {
    for (size_t k = 0; k < onsets.size(); ++k) {
      const int64_t tick = start + burst_onsets[b] + onsets[k];
      track->pulses.push_back(
          {tick, entry, static_cast<int32_t>(b), level(static_cast<int64_t>(k))});
      track->num_ticks = std::max(track->num_ticks, tick + length);
    }
  }
  return absl::OkStatus();
}

// Sorts a track's pulses and refuses those that meet on a channel.
absl::Status CheckOverlaps(absl::string_view field, size_t num_channels, double tick_us,
                           PulseTrack* track) {
  std::vector<ScheduledPulse>& pulses = track->pulses;
  std::sort(pulses.begin(), pulses.end(), [](const ScheduledPulse& a, const ScheduledPulse& b) {
    return std::make_pair(a.start_tick, a.entry) < std::make_pair(b.start_tick, b.entry);
  });
  struct Busy {
    int64_t until = 0;
    const ScheduledPulse* with = nullptr;
  };
  std::vector<Busy> busy(num_channels);
  for (const ScheduledPulse& pulse : pulses) {
    const ScheduledEntry& entry = track->entries[static_cast<size_t>(pulse.entry)];
    for (const int channel : entry.channels) {
      Busy& now = busy[static_cast<size_t>(channel)];
      if (pulse.start_tick < now.until) {
        const bool same_entry = now.with->entry == pulse.entry;
        return MakeFieldError(
            absl::StrCat(field, "[", pulse.entry, "].",
                         !same_entry                      ? "start_us"
                         : now.with->burst == pulse.burst ? "rate_hz"
                                                          : "burst_rate_hz"),
            absl::StrCat("a pulse ", Exact(static_cast<double>(pulse.start_tick) * tick_us),
                         " us after the plan's start, within one of ", field, "[", now.with->entry,
                         "] on the same channel"),
            "pulses that do not meet");
      }
      now = {pulse.start_tick + entry.phases.num_ticks(), &pulse};
    }
  }
  return absl::OkStatus();
}

// Refuses plans that would take too long to look at.
template <typename Entries, typename Channels>
absl::Status CheckWork(absl::string_view field, const Entries& entries, const Channels& channels) {
  int64_t work = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    const PulseTrain& train = entries[i].train;
    work += train.num_pulses * train.num_bursts * static_cast<int64_t>(channels(entries[i]).size());
    if (work > PulseSchedule::kMaxChannelPulses) {
      return MakeFieldError(absl::StrCat(field, "[", i, "].num_pulses"),
                            absl::StrCat(work, " pulses so far, each counted on each channel"),
                            absl::StrCat("at most ", PulseSchedule::kMaxChannelPulses));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Span<const ScheduledPulse> PulseTrack::Beginning(int64_t first_tick,
                                                       int64_t last_tick) const {
  const auto before = [](const ScheduledPulse& p, int64_t tick) { return p.start_tick < tick; };
  const auto first = std::lower_bound(pulses.begin(), pulses.end(), first_tick, before);
  const auto last = std::lower_bound(first, pulses.end(), std::max(first_tick, last_tick), before);
  return absl::MakeConstSpan(pulses).subspan(static_cast<size_t>(first - pulses.begin()),
                                             static_cast<size_t>(last - first));
}

absl::StatusOr<PulseSchedule> PulseSchedule::Create(PulsePlan plan,
                                                    absl::Span<const int32_t> electrode_ids,
                                                    absl::Span<const int32_t> fiber_ids,
                                                    double dt_ms) {
  if (!(dt_ms >= 1e-4 && dt_ms <= 1.0)) {
    return MakeFieldError("dt_ms", Exact(dt_ms), "1e-4 .. 1 (ms)");
  }
  LIVND_RETURN_IF_ERROR(plan.Validate());
  LIVND_RETURN_IF_ERROR(CheckWork(
      "pulses", plan.pulses, [](const ElectrodePulses& e) -> auto& { return e.electrodes; }));
  LIVND_RETURN_IF_ERROR(CheckWork(
      "light", plan.light, [](const LightPulses& e) -> auto& { return e.fibers; }));
  PulseSchedule schedule(std::move(plan), electrode_ids.size(), dt_ms);
  const double tick_us = schedule.tick_us();

  const ChannelIndex electrodes = IndexOf(electrode_ids);
  PulseTrack& currents = schedule.currents_;
  for (size_t i = 0; i < schedule.plan_.pulses.size(); ++i) {
    const ElectrodePulses& entry = schedule.plan_.pulses[i];
    const std::string place = absl::StrCat("pulses[", i, "]");
    ScheduledEntry& ticks = currents.entries.emplace_back();
    LIVND_RETURN_IF_ERROR(AtField(place, FindChannels("electrodes", "electrodes", entry.electrodes,
                                                      electrodes, &ticks.channels)));
    LIVND_RETURN_IF_ERROR(AtField(place, FindPhases(entry, tick_us, &ticks.phases)));
    const auto level = [&](int64_t k) {
      const double amplitude_ua =
          LevelOf(entry.amplitude_ua, entry.last_amplitude_ua, k, entry.train.num_pulses);
      return BalancedCurrents(ticks.phases, entry.cathodic_first ? -amplitude_ua : amplitude_ua);
    };
    LIVND_RETURN_IF_ERROR(
        AtField(place, AppendPulses(entry.train, static_cast<int>(i), tick_us, level, &currents)));
  }
  LIVND_RETURN_IF_ERROR(CheckOverlaps("pulses", electrode_ids.size(), tick_us, &currents));

  const ChannelIndex fibers = IndexOf(fiber_ids);
  PulseTrack& light = schedule.light_;
  for (size_t i = 0; i < schedule.plan_.light.size(); ++i) {
    const LightPulses& entry = schedule.plan_.light[i];
    const std::string place = absl::StrCat("light[", i, "]");
    ScheduledEntry& ticks = light.entries.emplace_back();
    LIVND_RETURN_IF_ERROR(
        AtField(place, FindChannels("fibers", "fibres", entry.fibers, fibers, &ticks.channels)));
    LIVND_RETURN_IF_ERROR(
        AtField(place, ToTicks("width_us", entry.width_us, tick_us, 1, &ticks.phases.first_ticks)));
    const auto level = [&](int64_t k) {
      return PulseCurrents{LevelOf(entry.power_mw, entry.last_power_mw, k, entry.train.num_pulses),
                           0.0};
    };
    LIVND_RETURN_IF_ERROR(
        AtField(place, AppendPulses(entry.train, static_cast<int>(i), tick_us, level, &light)));
  }
  LIVND_RETURN_IF_ERROR(CheckOverlaps("light", fiber_ids.size(), tick_us, &light));
  return schedule;
}

std::vector<ElectrodeCharge> PulseSchedule::Charges() const {
  std::vector<ElectrodeCharge> charges(num_electrodes_);
  for (const ScheduledPulse& pulse : currents_.pulses) {
    const ScheduledEntry& entry = currents_.entries[static_cast<size_t>(pulse.entry)];
    const double first_nc = ChargeNc(pulse.level.first_ua, entry.phases.first_ticks, tick_us());
    const double recovery_nc =
        ChargeNc(pulse.level.recovery_ua, entry.phases.recovery_ticks, tick_us());
    for (const int channel : entry.channels) {
      ElectrodeCharge& charge = charges[static_cast<size_t>(channel)];
      ++charge.num_pulses;
      charge.net_nc += first_nc + recovery_nc;
      charge.absolute_nc += std::fabs(first_nc) + std::fabs(recovery_nc);
      charge.max_phase_nc =
          std::max({charge.max_phase_nc, std::fabs(first_nc), std::fabs(recovery_nc)});
    }
  }
  return charges;
}

void PulseSchedule::AppendWaveforms(const PulseTrack& track, int64_t origin, int64_t first_tick,
                                    int64_t last_tick,
                                    std::vector<sim::Waveform>* waveforms) const {
  for (const ScheduledPulse& pulse : track.Beginning(first_tick - origin, last_tick - origin)) {
    const ScheduledEntry& entry = track.entries[static_cast<size_t>(pulse.entry)];
    const PulsePhases& phases = entry.phases;
    const auto num_channels = static_cast<int>(entry.channels.size());
    const int64_t begin = origin + pulse.start_tick;
    const bool together = phases.gap_ticks == 0 && phases.recovery_ticks == phases.first_ticks;
    double* samples = BeginWaveform(begin, phases.first_ticks, dt_ms_, num_channels,
                                    together ? 2 : 1, &waveforms->emplace_back());
    waveforms->back().channels = entry.channels;
    samples = std::fill_n(samples, num_channels, pulse.level.first_ua);
    if (phases.recovery_ticks == 0) continue;
    if (!together) {
      samples = BeginWaveform(begin + phases.first_ticks + phases.gap_ticks, phases.recovery_ticks,
                              dt_ms_, num_channels, 1, &waveforms->emplace_back());
      waveforms->back().channels = entry.channels;
    }
    std::fill_n(samples, num_channels, pulse.level.recovery_ua);
  }
}

}  // namespace livnd::io
