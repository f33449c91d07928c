// Connections drawn one by one instead of pair by pair: the same distribution, in a time that goes with their number.
#ifndef LIVND_LAB_GENERATE_CONNECT_SPARSE_H_
#define LIVND_LAB_GENERATE_CONNECT_SPARSE_H_

#include "absl/status/statusor.h"
#include "lab/generate/connect/amplitude.h"
#include "lab/generate/connect/edges.h"
#include "lab/generate/connect/tiles.h"
#include "lab/generate/progress.h"
#include "lab/generate/random/named_random.h"

namespace livnd::lab {

// The kernel's sum: over all pairs up to 2^22 of them. Beyond, pairs of tiles that do not touch take the place of their
// cells by 3 x 3 points each (the cells' weights on quadratic polynomials through the points of Gauss and Legendre),
// and tiles further apart than the kernel reaches (exp(-30)) add nothing; within 1e-5 of the sum over pairs.
// `max` is that of pairs in the same or in touching tiles.
absl::StatusOr<KernelMass> TiledKernelMass(const Rule& rule, const Grid& grid, const Tiles& sources,
                                           const Tiles& targets, const Work& work);

// Each pair is connected with its own probability, independent of all others: between two tiles with numbers of draws
// that are geometric at the largest probability that a pair of them may have, of which a pair is kept with its share
// (thinning: Lewis and Shedler 1979). Numbers are looked up by tiles, so that threads do not matter.
// A field error where a pair would need a probability above 1.
absl::StatusOr<Edges> ConnectSparsely(const Rule& rule, const Places& sources,
                                      const Places& targets, const NamedRandom& random,
                                      const Work& work);

}  // namespace livnd::lab

#endif  // LIVND_LAB_GENERATE_CONNECT_SPARSE_H_
