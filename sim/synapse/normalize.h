// Homeostatic scaling of learned weights.
#ifndef LIVND_SIM_SYNAPSE_NORMALIZE_H_
#define LIVND_SIM_SYNAPSE_NORMALIZE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"

namespace livnd::sim {

// Bounds of one weight and the group that it is scaled with.
struct NormalizedWeight {
  int64_t group = 0;
  double w_min = 0.0, w_max = 0.0;
};

// Scales the weights of each group so that they sum to `target` (nullopt: their number). Weights
// that reach a bound stay there and the rest is shared out among the others, for at most
// `max_rounds` rounds (livn 2.0.0 weights.py, normalize_weights). A group whose free weights sum to
// zero stays as it is. Both spans are [num_weights].
void NormalizeWeights(absl::Span<const NormalizedWeight> bounds, std::optional<double> target,
                      int max_rounds, absl::Span<double> weights);

}  // namespace livnd::sim

#endif  // LIVND_SIM_SYNAPSE_NORMALIZE_H_
