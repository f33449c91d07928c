#include "env/culture/run_pulses.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <queue>
#include <set>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"
#include "env/culture/reach.h"

namespace livnd::env {
namespace {

constexpr char kPlan[] = "pulse_plan";

// A second's work, where sizes alone do not show that a plan is within bounds.
constexpr int64_t kMaxGainsLookedAt = 500'000'000;

// What an entry of a mode is called in a plan, and its level.
struct EntryNames {
  const char* entries;
  const char* level;
};

// Levels of the entries that are on, uA or mW, by entry.
using Levels = std::map<int32_t, double>;

// Looks at what every combination of levels that a schedule comes to makes at cells.
class ReachCheck {
 public:
  ReachCheck(const EntryNames& names, const io::PulseTrack& track, Reach reach)
      : names_(names), track_(track), reach_(std::move(reach)) {}

  absl::Status Check(double tick_us) {
    if (reach_.Worst(AllAtOnce()) <= reach_.bound()) return absl::OkStatus();
    // What changes next: tick, entry, level.
    using Change = std::tuple<int64_t, int32_t, double>;
    std::priority_queue<Change, std::vector<Change>, std::greater<Change>> changes;
    Levels levels;
    size_t next = 0;
    while (next < track_.pulses.size() || !changes.empty()) {
      const int64_t begins =
          next < track_.pulses.size() ? track_.pulses[next].start_tick : std::get<0>(changes.top());
      const int64_t tick = changes.empty() ? begins : std::min(begins, std::get<0>(changes.top()));
      int32_t last = -1;
      // Ends come before beginnings: an entry's next pulse may begin where one ends.
      for (; !changes.empty() && std::get<0>(changes.top()) == tick; changes.pop()) {
        const auto& [at, entry, level] = changes.top();
        if (level == 0.0) {
          levels.erase(entry);
        } else {
          levels[entry] = level;
        }
        last = entry;
      }
      for (; next < track_.pulses.size() && track_.pulses[next].start_tick == tick; ++next) {
        const io::ScheduledPulse& pulse = track_.pulses[next];
        const io::PulsePhases& phases = track_.entries[static_cast<size_t>(pulse.entry)].phases;
        last = pulse.entry;
        if (pulse.level.first_ua == 0.0) continue;
        levels[pulse.entry] = pulse.level.first_ua;
        const int64_t first_end = tick + phases.first_ticks;
        if (phases.recovery_ticks == 0) {
          changes.emplace(first_end, pulse.entry, 0.0);
          continue;
        }
        if (phases.gap_ticks > 0) changes.emplace(first_end, pulse.entry, 0.0);
        changes.emplace(first_end + phases.gap_ticks, pulse.entry, pulse.level.recovery_ua);
        changes.emplace(tick + phases.num_ticks(), pulse.entry, 0.0);
      }
      const double worst = Worst(levels);
      if (worst <= reach_.bound()) continue;
      if (reach_.gave_up()) {
        return MakeFieldError(kPlan,
                              absl::StrCat("many different levels that may make more than ",
                                           reach_.Shown(reach_.bound()), " at a cell"),
                              "weaker pulses, or fewer at one time");
      }
      return MakeFieldError(
          absl::StrCat(kPlan, ".", names_.entries, "[", last, "].", names_.level),
          absl::StrCat("what makes ", reach_.Shown(worst), " at a cell, ",
                       Exact(static_cast<double>(tick) * tick_us), " us after the plan's start"),
          reach_.Accepted());
    }
    return absl::OkStatus();
  }

 private:
  // Each channel's largest level, all with the same sign: no combination makes more.
  std::vector<Reach::Level> AllAtOnce() const {
    std::map<int, double> largest;
    for (const io::ScheduledPulse& pulse : track_.pulses) {
      const double level =
          std::max(std::fabs(pulse.level.first_ua), std::fabs(pulse.level.recovery_ua));
      for (const int channel : track_.entries[static_cast<size_t>(pulse.entry)].channels) {
        double& most = largest[channel];
        most = std::max(most, level);
      }
    }
    return {largest.begin(), largest.end()};
  }

  double Worst(const Levels& levels) {
    if (good_.count(levels) > 0) return 0.0;
    of_channels_.clear();
    for (const auto& [entry, level] : levels) {
      for (const int channel : track_.entries[static_cast<size_t>(entry)].channels) {
        of_channels_.emplace_back(channel, level);
      }
    }
    const double worst = reach_.Worst(of_channels_);
    if (worst <= reach_.bound() && good_.size() < kMaxRemembered) good_.insert(levels);
    return worst;
  }

  static constexpr size_t kMaxRemembered = 10'000;

  const EntryNames names_;
  const io::PulseTrack& track_;
  Reach reach_;
  std::vector<Reach::Level> of_channels_;
  std::set<Levels> good_;  // combinations that were looked at
};

}  // namespace

absl::StatusOr<RunPulses> RunPulses::Create(io::PulsePlan plan, const Devices& devices,
                                            const io::StimulationLimits& limits,
                                            const sim::Culture& culture, int64_t start_tick,
                                            int64_t num_ticks) {
  std::vector<int32_t> electrodes, fibers;
  if (devices.electrodes != nullptr) electrodes = devices.electrodes->array.ids();
  if (devices.fibers != nullptr) fibers = devices.fibers->array.ids();
  auto schedule = io::PulseSchedule::Create(std::move(plan), electrodes, fibers, culture.dt_ms());
  if (!schedule.ok()) return AtField(kPlan, schedule.status());
  LIVND_RETURN_IF_ERROR(AtField(kPlan, limits.Check(*schedule, electrodes)));
  const int64_t last = std::max(schedule->currents().num_ticks, schedule->light().num_ticks);
  if (last > num_ticks) {
    return MakeFieldError(
        kPlan, absl::StrCat(Exact(static_cast<double>(last) * culture.dt_ms()), " ms"),
        absl::StrCat("what is over within the run, after ",
                     Exact(static_cast<double>(num_ticks) * culture.dt_ms()), " ms"));
  }
  const auto check = [&](sim::StimulusMode mode, const EntryNames& names,
                         const io::PulseTrack& track) -> absl::Status {
    if (track.pulses.empty()) return absl::OkStatus();
    ReachCheck reach(names, track,
                     Reach(mode, devices.map(mode), culture.num_section_rows(), kMaxGainsLookedAt));
    return reach.Check(schedule->tick_us());
  };
  LIVND_RETURN_IF_ERROR(
      check(sim::StimulusMode::kField, {"pulses", "amplitude_ua"}, schedule->currents()));
  LIVND_RETURN_IF_ERROR(check(sim::StimulusMode::kLight, {"light", "power_mw"}, schedule->light()));
  return RunPulses(*std::move(schedule), start_tick);
}

absl::Status RunPulses::Announce(const io::PulsePlan& plan, const sim::Culture& culture,
                                 const Devices& devices, const StimulusOnset& onset,
                                 StimulusPlan& axis) {
  if (!plan.pulses.empty()) {
    LIVND_RETURN_IF_ERROR(axis.Announce(kPlan, sim::StimulusMode::kField, culture, devices, onset));
  }
  if (plan.light.empty()) return absl::OkStatus();
  return axis.Announce(kPlan, sim::StimulusMode::kLight, culture, devices, onset);
}

std::vector<std::shared_ptr<const sim::Waveform>> RunPulses::Waveforms(sim::StimulusMode mode,
                                                                       int64_t from,
                                                                       int64_t to) const {
  const io::PulseTrack& track =
      mode == sim::StimulusMode::kField ? schedule_.currents() : schedule_.light();
  std::vector<sim::Waveform> waveforms;
  schedule_.AppendWaveforms(track, start_tick_, start_tick_ + from, start_tick_ + to, &waveforms);
  std::vector<std::shared_ptr<const sim::Waveform>> shared;
  shared.reserve(waveforms.size());
  for (sim::Waveform& waveform : waveforms) {
    shared.push_back(std::make_shared<const sim::Waveform>(std::move(waveform)));
  }
  return shared;
}

}  // namespace livnd::env
