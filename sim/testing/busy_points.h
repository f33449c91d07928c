// Small cultures of point neurons in which everything happens at once, as busy_culture.h is for RCSD:
// own parameters, current and conductance synapses, delays, event sources, noise and currents.
#ifndef LIVND_SIM_TESTING_BUSY_POINTS_H_
#define LIVND_SIM_TESTING_BUSY_POINTS_H_

#include <map>
#include <string>

#include "sim/culture/culture_config.h"
#include "sim/gang/gang.h"

namespace livnd::sim {

// "izhikevich", "lif", "glif1" .. "glif5".
const std::map<std::string, PointModelConfig>& PointModels();

// EXC 0 .. 10, INH 11 .. 15, event sources 16 .. 18. Cells spike within 20 ms and go on.
CultureConfig BusyPoints(const PointModelConfig& model);

// The stimulus map and input spikes of such a culture, for all copies.
void PrepareBusyPoints(Gang& gang);

// Currents from tick 0 of the copy's time axis on. `strength` 0 still installs them.
void InstallPointCurrents(Gang& gang, int copy, double strength = 1.0,
                          SampleTiming timing = SampleTiming::kLivn);

}  // namespace livnd::sim

#endif  // LIVND_SIM_TESTING_BUSY_POINTS_H_
