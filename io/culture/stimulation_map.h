// How the electrodes of an array reach the sections of a culture.
#ifndef LIVND_IO_CULTURE_STIMULATION_MAP_H_
#define LIVND_IO_CULTURE_STIMULATION_MAP_H_

#include <memory>

#include "io/device/electrode_array.h"
#include "io/device/sampling_points.h"
#include "io/system/system.h"
#include "sim/culture/culture.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::io {

// One channel an electrode, in declared order: currents in uA become the extracellular potential
// (mV) of every section at its sampling point. Takes 8 bytes an electrode and section.
std::shared_ptr<const sim::StimulusMap> ElectrodeStimulationMap(
    const ElectrodeArray& array, const System& system, const sim::Culture& culture,
    const DendriteOrientation& orientation);

}  // namespace livnd::io

#endif  // LIVND_IO_CULTURE_STIMULATION_MAP_H_
