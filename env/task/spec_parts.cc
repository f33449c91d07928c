#include "env/task/spec_parts.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "sim/culture/culture.h"

namespace livnd::env {

EnvironmentSpec SpecOnSystem(absl::string_view task, const io::System& system,
                             absl::string_view description, double step_ms,
                             int64_t max_episode_steps) {
  EnvironmentSpec spec;
  spec.task = std::string(task);
  spec.system = system.name;
  spec.id = absl::StrCat(task, "-", system.name, "-v0");
  spec.description = std::string(description);
  spec.step_duration_ms = step_ms;
  spec.tick_ns = 25000;
  spec.max_episode_steps = max_episode_steps;
  spec.physics_version = sim::kPhysicsVersion;
  return spec;
}

TensorSpec InfoSpec(absl::string_view name, absl::string_view unit, absl::string_view description,
                    double low, double high) {
  TensorSpec spec;
  spec.name = std::string(name);
  spec.dtype = DType::kFloat64;
  spec.unit = std::string(unit);
  spec.description = std::string(description);
  spec.low = {low};
  spec.high = {high};
  return spec;
}

TensorSpec NumericalFailureSpec() {
  return InfoSpec(
      "numerical_failure", "1",
      "1 if the simulation of this copy left the range of numbers; the episode is truncated.", 0.0,
      1.0);
}

TensorSpec PulseAmplitudeSpec(const io::System& system, double max_amplitude_ua) {
  TensorSpec action;
  action.name = "pulse_amplitude";
  action.unit = "1";
  action.description = absl::StrCat("Amplitude of the pulse on each electrode as a fraction of ",
                                    max_amplitude_ua, " uA; positive is cathodic first.");
  action.shape = {0};
  for (const io::Electrode& e : system.electrode_array->electrodes) {
    AddElement(absl::StrCat("amplitude_e", e.id), -1.0, 1.0, &action);
  }
  return action;
}

TensorSpec CathodicPulseSpec(const io::System& system, double max_amplitude_ua) {
  TensorSpec action = PulseAmplitudeSpec(system, max_amplitude_ua);
  action.description = absl::StrCat("Amplitude of the pulse on each electrode as a fraction of ",
                                    max_amplitude_ua, " uA; cathodic first.");
  std::fill(action.low.begin(), action.low.end(), 0.0);
  return action;
}

TensorSpec ObservationSpec(absl::string_view description) {
  TensorSpec spec;
  spec.name = "observation";
  spec.unit = "mixed";
  spec.description = std::string(description);
  spec.shape = {0};
  return spec;
}

void AddElement(absl::string_view name, double low, double high, TensorSpec* vector) {
  ++vector->shape[0];
  vector->element_names.emplace_back(name);
  vector->low.push_back(low);
  vector->high.push_back(high);
}

void AddSpikesPerCell(const io::System& system, double step_ms, TensorSpec* vector) {
  for (const io::Electrode& e : system.electrode_array->electrodes) {
    AddElement(absl::StrCat("spikes_e", e.id, "_t-0"), 0.0, MaxSpikesPerCell(step_ms), vector);
  }
}

double MaxSpikesPerCell(double step_ms) { return std::ceil(step_ms / 2.0 + 1.0); }

absl::Status CheckRange(absl::string_view field, double value, double low, double high) {
  if (value >= low && value <= high) return absl::OkStatus();  // false for NaN
  return MakeFieldError(field, Exact(value), absl::StrCat(Exact(low), " .. ", Exact(high)));
}

absl::Status CheckWhole(absl::string_view field, double value, double low, double high) {
  if (value >= low && value <= high && value == std::floor(value)) return absl::OkStatus();
  return MakeFieldError(field, Exact(value),
                        absl::StrCat("a whole number from ", Exact(low), " to ", Exact(high)));
}

}  // namespace livnd::env
