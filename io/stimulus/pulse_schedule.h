// A pulse plan on the ticks of a culture: which current flows on which electrode at which tick.
//
// The rule. A tick is tick_us; R(x) = floor(x + 1/2). Of an entry of the plan
//   pulse k of burst b begins at  start + R(b 1e6 / (burst_rate_hz tick_us)) + R(o(k))  ticks after the plan, with
//     o(k) = k 1e6 / (rate_hz tick_us), or, where the rate sweeps over n pulses, the sum over j < k of
//     1e6 / (rate(j) tick_us), rate(j) = rate_hz + (last_rate_hz - rate_hz) j / (n - 2), rate_hz if n is 2;
//   its amplitude is a(k) = amplitude_ua + (last_amplitude_ua - amplitude_ua) k / (n - 1);
//   its first phase lasts width_us at -a(k) (+a(k) unless cathodic_first), nothing flows for gap_us, and the second
//     phase returns the charge to the last bit (BalancedCurrents).
// start_us, width_us, gap_us and the recovery width are whole ticks. So a pulse is the same wherever it begins, each
// onset is within half a tick of its time, and no rounding adds up. Light is likewise, of one phase.
#ifndef LIVND_IO_STIMULUS_PULSE_SCHEDULE_H_
#define LIVND_IO_STIMULUS_PULSE_SCHEDULE_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "io/stimulus/pulse.h"
#include "io/stimulus/pulse_plan.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::io {

// What a plan delivers to one electrode.
struct ElectrodeCharge {
  int64_t num_pulses = 0;
  double net_nc = 0.0;        // exactly 0 where all pulses have two phases
  double absolute_nc = 0.0;   // of all phases
  double max_phase_nc = 0.0;  // of the largest phase, without its sign
};

struct ScheduledPulse {
  int64_t start_tick = 0;  // from the plan's start
  int32_t entry = 0;       // of the plan
  int32_t burst = 0;       // of the entry
  PulseCurrents level;     // uA on electrodes; the first one alone, mW, of light
};

// What the pulses of one entry share.
struct ScheduledEntry {
  std::vector<int> channels;  // indices of the device's channels, in the order of the plan
  PulsePhases phases;
};

// The pulses of one kind.
struct PulseTrack {
  std::vector<ScheduledEntry> entries;  // as the plan's
  std::vector<ScheduledPulse> pulses;   // by start, then entry
  int64_t num_ticks = 0;                // to the end of the last pulse

  // Those that begin in [first_tick, last_tick).
  absl::Span<const ScheduledPulse> Beginning(int64_t first_tick, int64_t last_tick) const;
};

// Immutable and thread-safe. Holds 32 bytes a pulse.
class PulseSchedule {
 public:
  // Admits the plan for a device with these channels, whose ids are unique, and a tick, or refuses it whole: a field
  // error of PulsePlan::Validate, or about an id that the device lacks, a time that is no whole number of ticks, a
  // phase shorter than a tick, a recovery that does not take up the charge, or a pulse that begins on an electrode
  // before another one there is over. Costs O(pulses x electrodes), of which there may be kMaxChannelPulses.
  static absl::StatusOr<PulseSchedule> Create(PulsePlan plan,
                                              absl::Span<const int32_t> electrode_ids,
                                              absl::Span<const int32_t> fiber_ids, double dt_ms);
  static constexpr int64_t kMaxChannelPulses = 10'000'000;

  const PulsePlan& plan() const { return plan_; }
  double dt_ms() const { return dt_ms_; }
  double tick_us() const { return dt_ms_ * 1e3; }
  const PulseTrack& currents() const { return currents_; }
  const PulseTrack& light() const { return light_; }

  // Of each electrode of the device, in its order.
  std::vector<ElectrodeCharge> Charges() const;

  // Appends the waveforms of a track's pulses that begin in [first_tick, last_tick) of a plan that begins at tick
  // `origin`: one or two a pulse, on the channels of its entry. Giving all of a run's pulses at once or step by step
  // makes the same currents.
  void AppendWaveforms(const PulseTrack& track, int64_t origin, int64_t first_tick,
                       int64_t last_tick, std::vector<sim::Waveform>* waveforms) const;

 private:
  PulseSchedule(PulsePlan plan, size_t num_electrodes, double dt_ms)
      : plan_(std::move(plan)), num_electrodes_(num_electrodes), dt_ms_(dt_ms) {}

  PulsePlan plan_;
  size_t num_electrodes_;
  double dt_ms_;
  PulseTrack currents_, light_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_STIMULUS_PULSE_SCHEDULE_H_
