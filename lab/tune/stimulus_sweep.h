// The pulses of a target's stimulus on a culture, and what its answers to them come to.
#ifndef LIVND_LAB_TUNE_STIMULUS_SWEEP_H_
#define LIVND_LAB_TUNE_STIMULUS_SWEEP_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "io/culture/culture_setup.h"
#include "io/decoding/decoding.h"
#include "io/decoding/window.h"
#include "io/stimulus/pulse_plan.h"
#include "io/system/system.h"
#include "lab/tune/evaluation_runner.h"
#include "lab/tune/recruitment_miss.h"
#include "lab/tune/target.h"

namespace livnd::lab {

// The electrode that has the most cells within the array's input_radius, of several the one with the smallest id;
// -1: no cell is within it of any (livn 2.0.0's culture target, record_evoked). Cells are those that are
// built.
int32_t DrivingElectrode(const io::System& system, const io::CultureSetup& setup);

// Amplitudes take turns, a pulse a trial: with two of them and two repeats a, b, a, b. Immutable and thread-safe.
class StimulusSweep {
 public:
  // For a culture of a tick, whose electrodes are units. Field errors of "stimulus": there are no electrodes, or not
  // this one, or none that would do; times are no whole ticks; there is more than a decoding holds.
  static absl::StatusOr<StimulusSweep> Create(const StimulusConfig& config,
                                              const io::System& system,
                                              const io::CultureSetup& setup, double tick_ms);

  const Sweep& sweep() const { return sweep_; }
  // The strongest pulse alone, at the beginning of a short run, whatever came before.
  Sweep Probe() const;

  // What runs of the sweep have been refused for (env::LiveCulture::BeginRun), in the words of the target.
  static absl::Status FaultOf(const absl::Status& status);

  // All trials as one window, whose units are electrodes.
  const io::DecodingWindow& window() const { return recruitment_->window(); }
  // stimulus_threshold, threshold_miss and recruitment_miss; the latter two where something was measured. Errors: spikes
  // that are not in the window.
  absl::Status Measure(absl::Span<const io::UnitSpike> spikes, Features& features) const;

 private:
  StimulusSweep(StimulusConfig config, Sweep sweep, std::shared_ptr<const io::Decoding> recruitment)
      : config_(std::move(config)),
        sweep_(std::move(sweep)),
        recruitment_(std::move(recruitment)) {}

  StimulusConfig config_;
  Sweep sweep_;
  std::shared_ptr<const io::Decoding> recruitment_;
};

}  // namespace livnd::lab

#endif  // LIVND_LAB_TUNE_STIMULUS_SWEEP_H_
