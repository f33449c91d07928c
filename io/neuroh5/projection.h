// NeuroH5's edges: /Projections/POST/PRE.

#ifndef LIVND_IO_NEUROH5_PROJECTION_H_
#define LIVND_IO_NEUROH5_PROJECTION_H_

#include <string>

#include "absl/status/statusor.h"
#include "io/neuroh5/hdf5_file.h"
#include "io/system/system.h"

namespace livnd::io {

// Reads the edges from `pre` to `post` with their distances (CONNECTIVITY_NAMESPACE/distance)
// and synapses (Synapses/syn_id). Edges come in stored order: block after block, destination
// after destination; blocks may be out of order and leave gaps.
absl::StatusOr<Projection> ReadProjection(const Hdf5File& file, const Population& post,
                                          const Population& pre,
                                          const std::string& connectivity_namespace);

}  // namespace livnd::io

#endif  // LIVND_IO_NEUROH5_PROJECTION_H_
