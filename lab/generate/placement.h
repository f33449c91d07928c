// Where the cells of a culture are.
#ifndef LIVND_LAB_GENERATE_PLACEMENT_H_
#define LIVND_LAB_GENERATE_PLACEMENT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "io/culture/numpy_random.h"
#include "lab/generate/connect/edges.h"
#include "lab/generate/culture_config.h"

namespace livnd::lab {

struct PlacedCells {
  Places places;
  std::vector<uint8_t>
      interior;  // 1: at least the margin away from the edge; empty without a margin
};

// Evenly spread over the area and, if it has a depth, over z_range. `stream` gives the numbers of Rng::kNumpy, and is
// not used otherwise.
PlacedCells PlaceCells(const CultureConfig& config, const std::string& population,
                       int64_t num_cells, io::NumpyRandom& stream);

}  // namespace livnd::lab

#endif  // LIVND_LAB_GENERATE_PLACEMENT_H_
