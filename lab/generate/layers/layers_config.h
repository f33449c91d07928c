// What a user asks for in a culture of layers. Names are those of livn's S1.yml .. S4.yml, which MiV-Simulator
// reads; io/json/yaml.h reads their includes:
//
//   Definitions:
//     Populations: {EXC: 100, INH: 101}               # numbers in the files
//     Layers: {SO: 5, SP: 6, SR: 8, SLM: 9}           # numbers in morphologies
//     Synapse Mechanisms: {AMPA: 0, GABA_A: 1}        # not needed
//   Geometry:
//     Parametric Surface: {Layer Extents: {SO: [[0, 0, 0], [40, 40, 10]]}}        # um
//     Cell Distribution: {EXC: {SO: 0, SP: 7}}        # cells
//   Connection Generator:
//     Axon Extent: {EXC: {default: {width: [1000, 1000], offset: [0, 0]}}}        # um; or by layer
//     Synapses:
//       EXC: {INH: {type: inhibitory, sections: [soma], layers: [SP], proportions: [1], mechanisms: {GABA_A: {...}}}}
//   Cell Types:
//     EXC: {template: gEXC, mechanism: null, synapses: {density: {apical: {excitatory: {SR: {mean: 3.5, variance: 0.1}}}}}}
//   random_seed: 123                                  # ours, as the rest
//   density_of_layer: own                             # or last, see LayersConfig
#ifndef LIVND_LAB_GENERATE_LAYERS_LAYERS_CONFIG_H_
#define LIVND_LAB_GENERATE_LAYERS_LAYERS_CONFIG_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "io/json/json_view.h"
#include "io/system/system.h"

namespace livnd::lab {

struct LayerCells {
  std::string layer;
  int64_t num_cells = 0;
};

// Synapses a um: drawn again and again along a cell, positive.
struct SynapseDensity {
  uint8_t swc_type = 0;
  bool inhibitory = false;
  std::optional<int32_t> layer;  // absent: wherever the section is
  double mean = 0.0, deviation = 0.0;
};

// How far axons reach from the soma along x and y: the chance falls as a normal distribution about the offset whose
// deviation is a third of the reach.
struct AxonExtent {
  std::array<double, 2> reach_um = {0, 0};
  std::array<double, 2> offset_um = {0, 0};
};

struct LayeredPopulation {
  std::string name;
  uint16_t label = 0;
  std::vector<LayerCells> cells;
  std::vector<SynapseDensity> densities;
  std::map<std::string, AxonExtent> axons;  // by layer of the contact, or "default"
};

struct LayersConfig {
  std::vector<io::LayerExtent> layers;
  std::map<std::string, int32_t> layer_numbers;
  std::vector<LayeredPopulation> populations;  // by label
  std::vector<io::ProjectionConfig> projections;
  uint64_t random_seed = 123;
  // MiV-Simulator gives a section the density of the layer that is named last, whatever layer it is in; S1 was made so.
  bool density_of_last_layer = false;
  std::string output_directory;
  io::Json source;  // what was read, without output_directory and random_seed
};

// Whether a document is of this kind, and not of lab/generate/culture_config_json.h.
bool IsLayersConfig(const io::JsonView& document);

// A field error with the place in the document: an unknown name (with the nearest), a value that is not accepted, or
// values that contradict each other.
absl::StatusOr<LayersConfig> ParseLayersConfig(const io::JsonView& document);

// 1 .. 8 of soma, axon, basal, apical, trunk, tuft, ais, hillock; 0: none of these.
uint8_t SwcTypeOf(const std::string& section);

}  // namespace livnd::lab

#endif  // LIVND_LAB_GENERATE_LAYERS_LAYERS_CONFIG_H_
