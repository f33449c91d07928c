// Which synaptic parameters a culture has, by livn's names.
#ifndef LIVND_SIM_CULTURE_SYNAPSE_PARAMS_H_
#define LIVND_SIM_CULTURE_SYNAPSE_PARAMS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sim/culture/culture_config.h"

namespace livnd::sim {

// livn's name of the section that holds a site of an SWC type: "soma", "axon", else "dend" (also
// on cells without a dendrite, whose sites are all on the soma).
absl::string_view SectionLabel(int swc_type);

// The weight of all connections of a kind.
struct WeightName {
  std::string post, pre, section, receptor;
  std::string key() const;  // "POST_PRE-SECTION-RECEPTOR-weight"
};

// A number of the receptor at a site, which all sources that reach it share.
struct ReceptorParamName {
  std::string post, section, receptor;
  std::string param;        // tau_rise, tau_decay, e; AMPA: U, tau_rec; NMDA: mg, Kd, gamma, vshift
  std::string key() const;  // "POST-SECTION-RECEPTOR-PARAM"
};

struct SynapseParamNames {
  std::vector<WeightName> weights;                 // ascending by key
  std::vector<ReceptorParamName> receptor_params;  // ascending by key
};

// The names that CultureConfig::weights and ::receptor_params take: those of the configured edges
// and of ProjectionConfig::known_swc_types.
SynapseParamNames SynapseParamNamesOf(const CultureConfig& config);

// A receptor of a projection at sites of one SWC type, with what the configuration says of it.
struct PlacedReceptor {
  Receptor receptor;
  double weight = 0.0;
};

// In the order of the projection's receptors; empty where an edge carries none. Errors as
// Culture::Create.
absl::StatusOr<std::vector<PlacedReceptor>> PlaceReceptors(const CultureConfig& config,
                                                           const ProjectionConfig& projection,
                                                           int swc_type);

}  // namespace livnd::sim

#endif  // LIVND_SIM_CULTURE_SYNAPSE_PARAMS_H_
