// The network that livn's point models have on a system.
#ifndef LIVND_IO_CULTURE_POINT_PROJECTIONS_H_
#define LIVND_IO_CULTURE_POINT_PROJECTIONS_H_

#include <cstdint>
#include <vector>

#include "io/system/system.h"
#include "sim/culture/culture_config.h"

namespace livnd::io {

// The projections of a system between point neurons. livn 2.0.0 gives each pair of connected cells a
// current of weight sign * r * w (system.py, connectivity_matrix): sign is the projection's type, r
// a random number of [0, 1) that the edges draw in the order of the file, and w the weight of the
// projection, 1 pA unless set. Receptors of the graph are not used. Of several edges of a pair the
// last one holds. Populations of neurons are built; edges to others, and to or from cells of
// them that are not selected, are left out after they have drawn.
std::vector<sim::ProjectionConfig> PointProjections(
    const System& system, const std::vector<sim::PopulationConfig>& populations);

// The numbers that Python's random.Random(seed).random() gives; seed below 2^32.
std::vector<double> PythonRandoms(uint32_t seed, int64_t count);

}  // namespace livnd::io

#endif  // LIVND_IO_CULTURE_POINT_PROJECTIONS_H_
