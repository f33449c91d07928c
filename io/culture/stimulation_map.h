// How the electrodes of an array reach the sections of a culture.
#ifndef LIVND_IO_CULTURE_STIMULATION_MAP_H_
#define LIVND_IO_CULTURE_STIMULATION_MAP_H_

#include <cstddef>
#include <memory>

#include "io/device/electrode_array.h"
#include "io/device/sampling_points.h"
#include "io/system/system.h"
#include "sim/culture/culture.h"
#include "sim/culture/culture_config.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::io {

// Gains are held as a matrix up to this size: all of EI-10000 under 64 electrodes is 36 MB. Beyond it they are
// computed whenever a current changes, to the same bits.
inline constexpr size_t kMaxGainBytes = size_t{64} << 20;

// One channel an electrode, in declared order: currents in uA become the extracellular potential
// (mV) of every section at its sampling point.
std::shared_ptr<const sim::StimulusMap> ElectrodeStimulationMap(
    const ElectrodeArray& array, const System& system, const sim::Culture& culture,
    const DendriteOrientation& orientation);

// The same for point neurons, which have no extent for a field to act on: currents in uA become a
// current into each cell, nA. It is the one that the field would drive from the dendrite into the
// soma of livn's RCSD cell in the same place, their coupling times the difference of the potentials
// at its two sampling points; of Izhikevich cells, whose equation has a capacitance of 1 pF, so much
// less that it moves them by as many mV as livn's GLIF cells. Of ours: livn lets no electrodes reach
// point neurons.
std::shared_ptr<const sim::StimulusMap> ElectrodeCurrentMap(const ElectrodeArray& array,
                                                            const System& system,
                                                            const sim::Culture& culture,
                                                            const sim::PointModelConfig& model,
                                                            const DendriteOrientation& orientation);

}  // namespace livnd::io

#endif  // LIVND_IO_CULTURE_STIMULATION_MAP_H_
