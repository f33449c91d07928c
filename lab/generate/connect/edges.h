// The cells of two populations that may be connected, and the connections between them.
#ifndef LIVND_LAB_GENERATE_CONNECT_EDGES_H_
#define LIVND_LAB_GENERATE_CONNECT_EDGES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lab/generate/connect/float_math.h"

namespace livnd::lab {

// Places of the cells of one population, um.
struct Places {
  std::vector<float> x, y, z;

  size_t size() const { return x.size(); }
};

// A pair of cells is connected with the probability amplitude * kernel(distance), which makes mean_degree inputs on
// average; a probability below the cut-off is 0.
struct Rule {
  std::string name;  // "EXC->INH"
  DistanceKernel kernel;
  double mean_degree = 0.0;
  std::optional<double> cutoff;
  bool same_population = false;
  bool allow_self_connections = false;

  bool excludes_self() const { return same_population && !allow_self_connections; }
};

// Compressed rows by target cell: its sources, ascending, and their distances are elements offsets[target] ..
// offsets[target + 1] of the other two.
struct Edges {
  double amplitude = 0.0;
  std::vector<uint64_t> offsets;
  std::vector<uint32_t> source;
  std::vector<float> distance_um;
};

}  // namespace livnd::lab

#endif  // LIVND_LAB_GENERATE_CONNECT_EDGES_H_
