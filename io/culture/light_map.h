// How optical fibres reach the cells of a culture.
#ifndef LIVND_IO_CULTURE_LIGHT_MAP_H_
#define LIVND_IO_CULTURE_LIGHT_MAP_H_

#include <cstddef>
#include <memory>

#include "absl/status/statusor.h"
#include "io/device/light_array.h"
#include "io/system/system.h"
#include "sim/culture/culture.h"
#include "sim/stimulus/stimulus.h"

namespace livnd::io {

// One channel a fibre, in declared order: powers in mW become the light (photons/s/mm2) on every soma, which is where
// opsins are. A field error about "light_array": so many fibres over so many sections that their gains take more than
// kMaxLightGainBytes.
inline constexpr size_t kMaxLightGainBytes = size_t{512} << 20;
absl::StatusOr<std::shared_ptr<const sim::StimulusMap>> LightStimulationMap(
    const LightArray& array, const System& system, const sim::Culture& culture);

}  // namespace livnd::io

#endif  // LIVND_IO_CULTURE_LIGHT_MAP_H_
