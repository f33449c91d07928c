// What the connections of a culture are made of: receptors by transmitter, and where on the target they sit.
#ifndef LIVND_LAB_GENERATE_SYNAPSES_H_
#define LIVND_LAB_GENERATE_SYNAPSES_H_

#include "io/system/system.h"
#include "lab/generate/culture_config.h"

namespace livnd::lab {

// livn 2.0.0, generate_2d.py: the receptors of the transmitter that `pre` releases, each with the number of
// release sites as its weight, changed by the configuration's overrides. What comes from an inhibitory population, or
// to cells of one compartment, is on the soma, all else on the dendrite.
io::ProjectionConfig SynapsesOf(const CultureConfig& config, const PopulationConfig& pre,
                                const PopulationConfig& post);

// Where the sites of such a projection are, by its sections: as the files number them.
struct SiteKind {
  uint8_t syn_type = 0;  // 0 excitatory, 1 inhibitory
  uint8_t swc_type = 1;
  int32_t section = 0;
};
SiteKind SitesOf(const io::ProjectionConfig& projection);

}  // namespace livnd::lab

#endif  // LIVND_LAB_GENERATE_SYNAPSES_H_
