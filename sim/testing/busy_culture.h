// A small culture in which everything happens at once: cells of both kinds and of three shapes, own
// parameters, every receptor, delays on ties, event sources, noise, a field, currents and current
// densities. Tests ask whether all of it stays the same bits.
#ifndef LIVND_SIM_TESTING_BUSY_CULTURE_H_
#define LIVND_SIM_TESTING_BUSY_CULTURE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "sim/culture/culture.h"
#include "sim/culture/culture_config.h"
#include "sim/gang/gang.h"

namespace livnd::sim {

// EXC 0 .. 10, INH 11 .. 15, event sources 16 .. 18. Cells spike within 10 ms and go on.
CultureConfig BusyConfig();

// Many of these, connected in a ring and across it: EXC first, then INH, then the sources.
CultureConfig BusyBlocks(int num_blocks);

// Create for a config that is sound; anything else ends the test program.
std::shared_ptr<const Culture> MustCreate(const CultureConfig& config);

// BusyConfig's or BusyBlocks' stimulus maps and input spikes, for all copies.
void PrepareBusyGang(Gang& gang);

// Switches plasticity on and installs stimuli of every mode, from tick 0 of the copy's time axis
// on. `strength` 0 still installs them.
void InstallBusyStimuli(Gang& gang, int copy, double strength = 1.0,
                        SampleTiming timing = SampleTiming::kLivn);

std::vector<double> Save(const Gang& gang, int copy);

// Spikes of one copy as (tick, gid), in order of emission.
std::vector<std::pair<int64_t, int64_t>> SpikesOf(const std::vector<Spike>& spikes, int copy);

}  // namespace livnd::sim

#endif  // LIVND_SIM_TESTING_BUSY_CULTURE_H_
