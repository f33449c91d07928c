// Networks that tools/bench/network.py writes, so that both sides of a comparison run the same one.
#ifndef LIVND_TOOLS_BENCH_NETWORK_FILE_H_
#define LIVND_TOOLS_BENCH_NETWORK_FILE_H_

#include <string>
#include <vector>

#include "io/device/electrode_array.h"
#include "io/device/electrode_array_config.h"
#include "sim/culture/culture_config.h"

namespace livnd::bench {

struct Network {
  sim::CultureConfig config;
  std::string params;                   // in words
  std::vector<double> start_mv;         // [cell] in gid order; empty: the model's own
  std::vector<io::Point> position_um;   // [cell]
  io::ElectrodeArrayConfig electrodes;  // none: no array
};

// A JSON object of
//   params       in words
//   populations  {name: number of cells}; gids are 0, 1, ... in this order
//   positions    [[x, y, z]], um
//   receptors    {"POST<-PRE": {receptor: {parameter: number}}}
//   edges        [[source, target, SWC type, location, distance in um]]
// and, where it has them, of
//   noise        {parameter: number}
//   plasticity   true: the default rules
//   electrodes   [[id, x, y, z]]
//   point        of point neurons: kind ("izhikevich" or "lif"), dt_ms, seed, start_mv ([cell]),
//                params and population_params ({population: params})
// Ends the process with a message if the file is another.
Network ReadNetwork(const std::string& path);

}  // namespace livnd::bench

#endif  // LIVND_TOOLS_BENCH_NETWORK_FILE_H_
