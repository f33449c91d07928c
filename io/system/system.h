// A system as stored on disk: the cells of a culture, where they are, how they are connected
// and the parameters that belong to the graph. No dynamics.
//
// A system is read once by ReadSystem, not changed afterwards and shared by
// shared_ptr<const System>; const access from many threads is safe.
//
// gid = global cell id. Populations own contiguous gid ranges that cover 0 .. num_cells()-1.

#ifndef LIVND_IO_SYSTEM_SYSTEM_H_
#define LIVND_IO_SYSTEM_SYSTEM_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "io/device/electrode_array_config.h"
#include "io/device/light_array_config.h"

namespace livnd::io {

struct Population {
  std::string name;
  uint16_t label = 0;  // value in the file's population enum
  uint32_t first_gid = 0;
  uint32_t num_cells = 0;  // may be 0
};

// Places where synapses sit on the cells of one population; compressed rows by cell: the sites
// of the population's cell c are elements offsets[c] .. offsets[c+1] of every other vector, in
// stored order. syn_id is unique within a cell.
struct SynapseSites {
  std::vector<uint64_t> offsets;  // num_cells + 1, also where the file lists no sites
  std::vector<uint32_t> syn_id;
  std::vector<uint8_t> syn_type;  // 0 excitatory, 1 inhibitory
  // 1 soma, 2 axon, 3 basal, 4 apical, 5 trunk, 6 tuft, 7 ais, 8 hillock
  std::vector<uint8_t> swc_type;
  std::vector<int32_t> section;
  std::vector<int32_t> layer;
  std::vector<float> location;  // 0 .. 1 along the section
  std::vector<float> path_distance_um;
};

// The edges from one population to another. All vectors have one element an edge, in file order
// (destination blocks in stored order). gids are absolute.
struct Projection {
  std::string post;
  std::string pre;
  std::vector<uint32_t> source_gid;
  std::vector<uint32_t> target_gid;
  std::vector<float> distance_um;  // 0 .. kMaxDistanceUm
  std::vector<uint32_t> syn_id;    // site on the target cell; the site may be missing
};

// Parameters of one receptor of a projection, as given in graph.json.
struct ReceptorConfig {
  std::string receptor;  // AMPA, NMDA, GABA_A or GABA_B
  // Only those given and not null, of: weight, g_unit (uS), tau_rise, tau_decay, tau_rec (ms),
  // e (mV), U, mg, Kd (mM), gamma (1/mV), vshift (mV).
  std::map<std::string, double> params;
  bool disabled = false;  // tau_decay is null or absent: the receptor is to be skipped
};

struct ProjectionConfig {
  std::string post;
  std::string pre;
  std::string type;  // "excitatory" or "inhibitory"
  int contacts = 1;
  std::vector<std::string> sections;
  std::vector<std::string> layers;
  std::vector<double> proportions;
  // Key "default" or an SWC number as text; receptors in file order.
  std::map<std::string, std::vector<ReceptorConfig>> mechanisms;
};

struct LayerExtent {
  std::string name;
  std::array<double, 3> min_um = {0, 0, 0};
  std::array<double, 3> max_um = {0, 0, 0};
};

struct AreaExtent {
  std::array<double, 2> min_um = {0, 0};
  std::array<double, 2> max_um = {0, 0};
};

// A parameter by livn's key (docs/params.md). One number; a "cells-" key may have one a built cell.
struct Param {
  std::string key;
  std::vector<double> values;
};
using ParamList = std::vector<Param>;  // a later one overrides an earlier one

// params/NAME.json: model class -> group -> parameters in the order of the text.
using ParamsDocument = std::map<std::string, std::map<std::string, ParamList>>;

// model.json: which of livn's model classes and the arguments of its constructor.
using ModelArgument =
    std::variant<std::monostate, bool, double, std::string, std::map<std::string, double>>;
struct ModelDocument {
  std::string model_class;  // as Python imports it: "package.module.Class"
  std::map<std::string, ModelArgument> arguments;
};

// selection/NAME.json: which cells are to be built. Nothing here is held against the populations.
struct SelectionDocument {
  std::map<std::string, std::vector<int64_t>> gids;  // by population, as listed
  std::string graph_uuid;                            // of the graph it was cut from; may be empty
};

struct System {
  std::string name;       // last component of the directory
  std::string directory;  // as given to ReadSystem
  // The HDF5 files that it came from; one for both where the folder has graph.h5.
  std::string cells_path;
  std::string connections_path;

  std::vector<Population> populations;               // by first_gid
  std::vector<std::array<double, 3>> position_um;    // by gid: x, y, z of the soma
  std::vector<SynapseSites> synapse_sites;           // by population
  std::vector<Projection> projections;               // by (post, pre) in population order
  std::vector<ProjectionConfig> projection_configs;  // by (post, pre) in population order

  std::optional<AreaExtent> area;  // bounding box of the placed cells
  std::vector<LayerExtent> layers;

  std::string graph_uuid;  // of the graph's architecture; empty in files without

  std::optional<ElectrodeArrayConfig> electrode_array;  // mea.json
  std::optional<LightArrayConfig> light_array;          // lightarray.json
  std::optional<ModelDocument> model;                   // model.json
  // By file name without ".json".
  std::map<std::string, ParamsDocument> params;
  std::map<std::string, SelectionDocument> selections;

  uint32_t num_cells() const { return static_cast<uint32_t>(position_um.size()); }
  // Total over all projections.
  uint64_t num_edges() const;
  // Index into `populations`, or -1.
  int FindPopulation(absl::string_view population_name) const;
  // Index of the population that owns a gid < num_cells().
  int PopulationOf(uint32_t gid) const;
  // nullptr if graph.json has nothing for the pair.
  const ProjectionConfig* FindProjectionConfig(absl::string_view post, absl::string_view pre) const;
};

}  // namespace livnd::io

#endif  // LIVND_IO_SYSTEM_SYSTEM_H_
