#include "sim/stimulus/stimulus.h"

#include <cmath>

namespace livnd::sim {

const char* StimulusModeName(StimulusMode mode) {
  switch (mode) {
    case StimulusMode::kField:
      return "extracellular";
    case StimulusMode::kCurrent:
      return "current";
    case StimulusMode::kCurrentDensity:
      return "current_density";
    case StimulusMode::kLight:
      return "irradiance";
  }
  return "unknown";
}

int64_t TicksOfSample(double sample_dt_ms, double dt_ms) {
  const double ticks = sample_dt_ms / dt_ms;
  const double whole = std::round(ticks);
  // False for what is not a number, too.
  if (!(whole >= 1.0 && whole <= 1e15 && std::fabs(ticks - whole) <= 1e-9 * whole)) return 0;
  return static_cast<int64_t>(whole);
}

}  // namespace livnd::sim
