// The plan of pulses of one run of a live culture.
#ifndef LIVND_ENV_CULTURE_RUN_PULSES_H_
#define LIVND_ENV_CULTURE_RUN_PULSES_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "env/copies.h"
#include "env/culture/culture_types.h"
#include "env/culture/stimulus_plan.h"
#include "io/device/preset/stimulation_limits.h"
#include "io/stimulus/pulse_plan.h"
#include "io/stimulus/pulse_schedule.h"
#include "sim/culture/culture.h"

namespace livnd::env {

// Gives a run the currents and the light of a plan piece by piece, so that a million pulses are never waveforms at
// once. Immutable and thread-safe.
class RunPulses {
 public:
  // Admits a plan that begins at start_tick, the start of a run of num_ticks, or refuses it whole: field errors below
  // "pulse_plan" of io::PulseSchedule and io::StimulationLimits, and about a plan that goes on after the run's end,
  // makes a potential beyond +-1000 mV or light beyond 1e24 photons/s/mm2 at a cell, or has so many strong currents
  // at once that looking for one would take too long. The devices are those that its entries ask for.
  static absl::StatusOr<RunPulses> Create(io::PulsePlan plan, const Devices& devices,
                                          const io::StimulationLimits& limits,
                                          const sim::Culture& culture, int64_t start_tick,
                                          int64_t num_ticks);

  // Tells the axis of stimuli of a plan's entries (StimulusPlan::Announce).
  static absl::Status Announce(const io::PulsePlan& plan, const sim::Culture& culture,
                               const Devices& devices, const StimulusOnset& onset,
                               StimulusPlan& axis);

  // What each electrode gets of them, in declared order.
  std::vector<io::ElectrodeCharge> Charges() const { return schedule_.Charges(); }

  // The waveforms of a mode's pulses that begin in [from, to) of the run.
  std::vector<std::shared_ptr<const sim::Waveform>> Waveforms(sim::StimulusMode mode, int64_t from,
                                                              int64_t to) const;

 private:
  RunPulses(io::PulseSchedule schedule, int64_t start_tick)
      : schedule_(std::move(schedule)), start_tick_(start_tick) {}

  io::PulseSchedule schedule_;
  int64_t start_tick_;
};

}  // namespace livnd::env

#endif  // LIVND_ENV_CULTURE_RUN_PULSES_H_
