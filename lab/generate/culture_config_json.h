// A culture's configuration as YAML or JSON text, with livn's names:
//
//   area: rectangle             # or disk; also as livn writes it, systems.generate_2d.disk
//   area_kwargs: {x_range: [0, 4000], y_range: [0, 4000]}
//                               # of a disk: {center: [0, 0], radius: 500, inner_radius: 0}
//   margin: 0
//   z_range: [0, 10]
//   total_cells: 100
//   populations:
//     EXC: {ratio: 0.8, synapse_type: excitatory}     # or count: 80; transmitter, soma_only
//     INH: {ratio: 0.2, synapse_type: inhibitory}
//   connectivity:
//     kernel: exponential       # or gaussian
//     sigma: 600
//     mean_degree: {"EXC->EXC": 20, "EXC->INH": 4, "INH->EXC": 40, default: 0}   # or one number
//     cutoff: null
//     allow_self_connections: false
//   synapse_overrides: {"EXC->INH": {AMPA: {tau_decay: 5}}}
//   population_definitions: {EXC: 10, INH: 11}
//   random_seed: 123
//   rng: philox                 # or livn, numpy
//   output_directory: null
//
// A provenance.json, ours or livn's, is taken as well: its `config` counts, and of livn's the version that made it says
// whose random numbers.
#ifndef LIVND_LAB_GENERATE_CULTURE_CONFIG_JSON_H_
#define LIVND_LAB_GENERATE_CULTURE_CONFIG_JSON_H_

#include "absl/status/statusor.h"
#include "io/json/json_view.h"
#include "lab/generate/culture_config.h"

namespace livnd::lab {

// A field error with the place in the document: an unknown name (with the nearest), a value that is not accepted, or
// values that contradict each other.
absl::StatusOr<CultureConfig> ParseCultureConfig(const io::JsonView& document);

// Every name but output_directory, which is no matter of what is made; ParseCultureConfig gives back the same.
io::Json CultureConfigToJson(const CultureConfig& config);

// provenance.json: what is needed to make the same again.
io::Json ProvenanceJson(const CultureConfig& config, const std::string& version);

}  // namespace livnd::lab

#endif  // LIVND_LAB_GENERATE_CULTURE_CONFIG_JSON_H_
