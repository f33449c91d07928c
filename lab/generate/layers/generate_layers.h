// Makes a culture of layers: cells with shapes, synapses along them, and axons that reach so far.
//
// The rules are those of MiV-Simulator, which livn's generate.py runs (synapses.py, distribute_poisson_synapses;
// connections.py, ConnectionProb and generate_synaptic_connections), with random numbers of our own:
//
// - Cells lie evenly in the box of their layer.
// - Synapses lie along each stretch of a cell in a layer as a Poisson process, whose density is drawn anew
//   every 10 um.
// - Of the projections that have synapses of this type in this section and layer, one is drawn by its proportion, and
//   then the source, by a normal distribution of the distances |dx| and |dy| between the somata within its reach.
//   A cell may contact itself. The distance of a connection is |dx| + |dy|.
#ifndef LIVND_LAB_GENERATE_LAYERS_GENERATE_LAYERS_H_
#define LIVND_LAB_GENERATE_LAYERS_GENERATE_LAYERS_H_

#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lab/generate/generate_culture.h"
#include "lab/generate/layers/layers_config.h"
#include "lab/generate/progress.h"

namespace livnd::lab {

// Text of SWC by population; needed of those that have densities.
using MorphologyTexts = std::map<std::string, std::string>;

// The same bits for the same configuration and shapes, whatever the executor. The graph's uuid is made of both.
// Takes about 60 bytes for a synapse. Errors: field errors of a shape, of one that is missing ("morphologies.EXC") or
// of more synapses than a system may have; Cancelled.
absl::StatusOr<GeneratedCulture> GenerateLayers(const LayersConfig& config,
                                                const MorphologyTexts& morphologies,
                                                const Work& work);

// provenance.json: what is needed to make the same again, the shapes among it.
io::Json LayersProvenance(const LayersConfig& config, const MorphologyTexts& morphologies,
                          const std::string& version);

// What LayersProvenance wrote: the configuration, and the shapes. Nullopt if the document is no such.
struct LayersOrigin {
  LayersConfig config;
  MorphologyTexts morphologies;
};
absl::StatusOr<std::optional<LayersOrigin>> ParseLayersProvenance(const io::JsonView& document);

}  // namespace livnd::lab

#endif  // LIVND_LAB_GENERATE_LAYERS_GENERATE_LAYERS_H_
