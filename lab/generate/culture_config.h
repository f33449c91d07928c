// What a user asks for in a culture that grows on a plane. Names and defaults are those of livn 2.0.0
// (generate_2d.py), but for what docs/differences.md lists.
//
// Lengths in um. A projection is named "PRE->POST".
#ifndef LIVND_LAB_GENERATE_CULTURE_CONFIG_H_
#define LIVND_LAB_GENERATE_CULTURE_CONFIG_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "lab/generate/connect/float_math.h"

namespace livnd::lab {

// Whose random numbers. All are determined by the seed, whatever the threads.
enum class Rng {
  kPhilox,  // our own: time goes with the number of connections
  kLivn,    // those of livn 2.0.0: the very cells and connections that it makes
  kNumpy,   // those of livn before 2.0.0
};

struct AreaConfig {
  enum class Shape { kRectangle, kDisk };
  Shape shape = Shape::kRectangle;
  std::array<double, 2> x_range_um = {0.0, 4000.0}, y_range_um = {0.0, 4000.0};  // rectangle
  std::array<double, 2> center_um = {0.0, 0.0};                                  // disk
  double radius_um = 500.0, inner_radius_um = 0.0;
};

enum class Transmitter { kGlutamatergic, kCholinergic, kGabaergic, kGlycinergic };

struct PopulationConfig {
  std::string name;
  uint16_t label = 0;            // its number in the files, by which populations are ordered there
  std::optional<int64_t> count;  // or else:
  double ratio = 0.0;            // its share of the cells that no count takes
  bool inhibitory = false;
  Transmitter transmitter = Transmitter::kGlutamatergic;
  bool soma_only = false;  // one compartment: all synapses are on the soma
};

// By receptor and parameter: what replaces the transmitter's. Without a number it is left out.
using SynapseOverrides = std::map<std::string, std::map<std::string, std::optional<double>>>;

struct CultureConfig {
  AreaConfig area;
  double margin_um = 0.0;  // cells at least as far from the edge are the interior
  std::array<double, 2> z_range_um = {0.0, 10.0};
  std::optional<int64_t> total_cells;
  std::vector<PopulationConfig> populations;
  DistanceKernel kernel = {false, 600.0};
  std::map<std::string, double> mean_degree;  // inputs a cell, by projection
  double default_degree = 0.0;
  std::optional<double> cutoff;
  bool allow_self_connections = false;
  std::map<std::string, SynapseOverrides> synapse_overrides;  // by projection
  uint64_t random_seed = 123;
  Rng rng = Rng::kPhilox;
  std::string output_directory;  // empty: not said

  double DegreeOf(const std::string& projection) const {
    const auto found = mean_degree.find(projection);
    return found == mean_degree.end() ? default_degree : found->second;
  }
};

inline std::string ProjectionName(const PopulationConfig& pre, const PopulationConfig& post) {
  return pre.name + "->" + post.name;
}

// Cells of each population, in their order: those that are counted, and the others' shares rounded down, whose rest
// goes to the largest remainders.
std::vector<int64_t> NumCells(const CultureConfig& config);

}  // namespace livnd::lab

#endif  // LIVND_LAB_GENERATE_CULTURE_CONFIG_H_
