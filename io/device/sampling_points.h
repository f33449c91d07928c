// Where each section of an RCSD cell samples the extracellular field.
#ifndef LIVND_IO_DEVICE_SAMPLING_POINTS_H_
#define LIVND_IO_DEVICE_SAMPLING_POINTS_H_

#include <array>
#include <cstdint>
#include <vector>

#include "sim/cell/cell_geometry.h"

namespace livnd::io {

// livn 2.0.0 models/rcsd: the dendrite lies dendrite_offset from the soma at an angle that the gid
// alone decides ("random"), or along +x ("aligned"); the axon points the other way.
struct DendriteOrientation {
  bool aligned = false;
  double dendrite_offset_um = 60.0;
  uint64_t seed = 20260824;
};

// Points of one cell in section order, um: soma, dend where it has one, and the middle of each axon
// section.
std::vector<std::array<double, 3>> SamplingPoints(const sim::CellGeometry& geometry, int64_t gid,
                                                  const std::array<double, 3>& soma_um,
                                                  const DendriteOrientation& orientation = {});

}  // namespace livnd::io

#endif  // LIVND_IO_DEVICE_SAMPLING_POINTS_H_
