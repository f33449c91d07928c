// The shape of a cell, from a file of SWC: what it takes to say where synapses are.
#ifndef LIVND_LAB_GENERATE_LAYERS_MORPHOLOGY_H_
#define LIVND_LAB_GENERATE_LAYERS_MORPHOLOGY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace livnd::lab {

// What of a section lies in one layer, without a gap. Lengths in um.
struct Stretch {
  int32_t section = 0;   // unbranched, of one type; numbered from the first point on, depth first
  uint8_t swc_type = 0;  // 1 soma, 2 axon, 3 basal, 4 apical, 5 trunk, 6 tuft, 7 ais, 8 hillock
  int32_t layer = 0;     // a number of the definitions' layers
  double length_um = 0.0;
  double soma_um = 0.0;           // along the cell from its first point to where the stretch begins
  double begin = 0.0, end = 0.0;  // of the section's length, 0 .. 1
};

// Stretches of length 0 are left out.
using Morphology = std::vector<Stretch>;

// Lines of `id type x y z radius parent layer`; `#` begins a comment, and the first point has the parent -1. A field
// error about "NAME:LINE" of what is no such line, or about points that are not one tree.
absl::StatusOr<Morphology> ParseMorphology(absl::string_view name, absl::string_view text);

}  // namespace livnd::lab

#endif  // LIVND_LAB_GENERATE_LAYERS_MORPHOLOGY_H_
