// Parts of specs that tasks on electrodes have in common.
#ifndef LIVND_ENV_TASK_SPEC_PARTS_H_
#define LIVND_ENV_TASK_SPEC_PARTS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "env/spec.h"
#include "io/system/system.h"

namespace livnd::env {

// What the spec of a task on a system begins with: names, "<task>-<system>-v0", the culture's clock and
// physics, and no tensors yet.
EnvironmentSpec SpecOnSystem(absl::string_view task, const io::System& system,
                             absl::string_view description, double step_ms,
                             int64_t max_episode_steps);

// One number of EnvironmentSpec.infos, float64.
TensorSpec InfoSpec(absl::string_view name, absl::string_view unit, absl::string_view description,
                    double low, double high);
// Info "numerical_failure": 1 where the simulation of a copy left the range of numbers.
TensorSpec NumericalFailureSpec();

// Action "pulse_amplitude": float32 [electrodes] in -1 .. 1, a fraction of the largest amplitude.
TensorSpec PulseAmplitudeSpec(const io::System& system, double max_amplitude_ua);
// The same in 0 .. 1, always cathodic first: pulses of either sign excite, so that an agent that tries
// amplitudes around 0 learns nothing from what they do on average.
TensorSpec CathodicPulseSpec(const io::System& system, double max_amplitude_ua);

// A vector of float32 named "observation" that grows by AddElement.
TensorSpec ObservationSpec(absl::string_view description);
void AddElement(absl::string_view name, double low, double high, TensorSpec* vector);
// An element for each electrode: spikes of the last step, for each cell in its reach.
void AddSpikesPerCell(const io::System& system, double step_ms, TensorSpec* vector);
// The most spikes of one cell in a step: of a refractory period of 2 ms, with room.
double MaxSpikesPerCell(double step_ms);

// MakeFieldError unless low <= value <= high, which NaN is not.
absl::Status CheckRange(absl::string_view field, double value, double low, double high);
// The same, of whole numbers.
absl::Status CheckWhole(absl::string_view field, double value, double low, double high);

}  // namespace livnd::env

#endif  // LIVND_ENV_TASK_SPEC_PARTS_H_
