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

namespace livnd::env {
namespace {

constexpr char kField[] = "pulse_plan";
constexpr double kFieldBoundMv = 1000.0;
// Gains that may be looked at where sizes alone do not show that a plan is within the bound: a second's work.
constexpr int64_t kMaxGainsLookedAt = 500'000'000;

// Electrode currents of the entries that are on, uA, by entry.
using Levels = std::map<int32_t, double>;

// Looks at the field of every combination of currents that a schedule comes to.
class FieldCheck {
 public:
  FieldCheck(const io::PulseTrack& track, const sim::StimulusMap& map, int64_t num_rows)
      : track_(track), map_(map), num_rows_(num_rows) {
    std::map<int, double> most;  // by channel: mV per uA
    for (const io::ScheduledEntry& entry : track.entries) {
      double sum = 0.0;
      for (const int channel : entry.channels) {
        const auto [found, is_new] = most.emplace(channel, 0.0);
        for (int64_t row = 0; is_new && row < num_rows; ++row) {
          found->second = std::max(found->second, map.Gain(channel, row, num_rows));
        }
        sum += found->second;
      }
      largest_.push_back(sum);
    }
  }

  absl::Status Check(double tick_us) {
    if (AllAtOnce() <= kFieldBoundMv) return absl::OkStatus();
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
        const auto& [at, entry, level_ua] = changes.top();
        if (level_ua == 0.0) {
          levels.erase(entry);
        } else {
          levels[entry] = level_ua;
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
      const double worst_mv = Worst(levels);
      if (num_looked_at_ > kMaxGainsLookedAt) {
        return MakeFieldError(kField,
                              absl::StrCat("many different currents that may make more than ",
                                           kFieldBoundMv, " mV at a cell"),
                              "weaker pulses, or fewer at one time");
      }
      if (worst_mv <= kFieldBoundMv) continue;
      return MakeFieldError(
          absl::StrCat(kField, ".pulses[", last, "].amplitude_ua"),
          absl::StrCat("what makes ", worst_mv, " mV at a cell, ",
                       Exact(static_cast<double>(tick) * tick_us), " us after the plan's start"),
          absl::StrCat("potentials of ", -kFieldBoundMv, " .. ", kFieldBoundMv, " mV"));
    }
    return absl::OkStatus();
  }

 private:
  // The largest potential if each electrode had its largest current, all with the same sign: no combination makes
  // more.
  double AllAtOnce() const {
    std::map<int, double> largest_ua;  // by channel
    for (const io::ScheduledPulse& pulse : track_.pulses) {
      const double level_ua =
          std::max(std::fabs(pulse.level.first_ua), std::fabs(pulse.level.recovery_ua));
      for (const int channel : track_.entries[static_cast<size_t>(pulse.entry)].channels) {
        double& most = largest_ua[channel];
        most = std::max(most, level_ua);
      }
    }
    double worst_mv = 0.0;
    for (int64_t row = 0; row < num_rows_; ++row) {
      double ve_mv = 0.0;
      for (const auto& [channel, level_ua] : largest_ua) {
        ve_mv += level_ua * map_.Gain(channel, row, num_rows_);
      }
      worst_mv = std::max(worst_mv, ve_mv);
    }
    return worst_mv;
  }

  // The largest potential without its sign, or a number not below it that is within the bound.
  double Worst(const Levels& levels) {
    double most = 0.0;
    for (const auto& [entry, level_ua] : levels) {
      most += std::fabs(level_ua) * largest_[static_cast<size_t>(entry)];
    }
    if (most <= kFieldBoundMv || good_.count(levels) > 0) return std::min(most, kFieldBoundMv);
    for (const auto& [entry, level_ua] : levels) {
      num_looked_at_ += num_rows_ * static_cast<int64_t>(
                                        track_.entries[static_cast<size_t>(entry)].channels.size());
    }
    double worst_mv = 0.0;
    for (int64_t row = 0; row < num_rows_ && num_looked_at_ <= kMaxGainsLookedAt; ++row) {
      double ve_mv = 0.0;
      for (const auto& [entry, level_ua] : levels) {
        for (const int channel : track_.entries[static_cast<size_t>(entry)].channels) {
          ve_mv += level_ua * map_.Gain(channel, row, num_rows_);
        }
      }
      worst_mv = std::max(worst_mv, std::fabs(ve_mv));
    }
    if (worst_mv <= kFieldBoundMv && good_.size() < kMaxRemembered) good_.insert(levels);
    return worst_mv;
  }

  static constexpr size_t kMaxRemembered = 10'000;

  const io::PulseTrack& track_;
  const sim::StimulusMap& map_;
  const int64_t num_rows_;
  std::vector<double> largest_;  // [entry]: mV per uA that it makes at most, about
  std::set<Levels> good_;        // combinations that were looked at
  int64_t num_looked_at_ = 0;    // gains
};

}  // namespace

absl::StatusOr<RunPulses> RunPulses::Create(io::PulsePlan plan, const Electrodes& electrodes,
                                            const sim::Culture& culture, int64_t start_tick,
                                            int64_t num_ticks) {
  auto schedule =
      io::PulseSchedule::Create(std::move(plan), electrodes.array.ids(), {}, culture.dt_ms());
  if (!schedule.ok()) return AtField(kField, schedule.status());
  const io::PulseTrack& track = schedule->currents();
  if (track.num_ticks > num_ticks) {
    return MakeFieldError(
        kField, absl::StrCat(Exact(static_cast<double>(track.num_ticks) * culture.dt_ms()), " ms"),
        absl::StrCat("what is over within the run, after ",
                     Exact(static_cast<double>(num_ticks) * culture.dt_ms()), " ms"));
  }
  FieldCheck check(track, *electrodes.map, culture.num_section_rows());
  LIVND_RETURN_IF_ERROR(check.Check(schedule->tick_us()));
  return RunPulses(*std::move(schedule), start_tick);
}

CultureStimulus RunPulses::Announcement(const sim::Culture& culture, const Electrodes* electrodes) {
  CultureStimulus stimulus;
  stimulus.electrodes = {electrodes == nullptr ? 0 : electrodes->array.ids()[0]};
  stimulus.quantity = StimulusQuantity::kElectrodeUa;
  stimulus.sample_dt_ms = culture.dt_ms();
  return stimulus;
}

absl::Status RunPulses::CheckAlone(const StimulusPlan& plan) {
  if (plan.num_field_stimuli() == 0) return absl::OkStatus();
  return MakeFieldError(
      kField,
      absl::StrCat("beside ", plan.num_field_stimuli(), " stimuli of the field that are not over"),
      "pulses alone: either would cut the other");
}

std::vector<std::shared_ptr<const sim::Waveform>> RunPulses::Waveforms(int64_t from,
                                                                       int64_t to) const {
  std::vector<sim::Waveform> waveforms;
  schedule_.AppendWaveforms(schedule_.currents(), start_tick_, start_tick_ + from, start_tick_ + to,
                            &waveforms);
  std::vector<std::shared_ptr<const sim::Waveform>> shared;
  shared.reserve(waveforms.size());
  for (sim::Waveform& waveform : waveforms) {
    shared.push_back(std::make_shared<const sim::Waveform>(std::move(waveform)));
  }
  return shared;
}

}  // namespace livnd::env
