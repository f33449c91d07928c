// Connections as livn draws them: a number for every pair of cells. The time goes with the product of the populations.
#ifndef LIVND_LAB_GENERATE_CONNECT_DENSE_H_
#define LIVND_LAB_GENERATE_CONNECT_DENSE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "io/culture/numpy_random.h"
#include "lab/generate/connect/edges.h"
#include "lab/generate/progress.h"
#include "lab/generate/random/named_random.h"

namespace livnd::lab {

// livn 2.0.0, generate_2d.py: the number of source i and target j is looked up, so that chunks do not matter.
// A field error where a pair would need a probability above 1.
absl::StatusOr<Edges> ConnectAsLivn(const Rule& rule, const Places& sources, const Places& targets,
                                    const NamedRandom& random, const Work& work);

// livn before 2.0.0: one stream for all, taken chunk by chunk of targets and in it source by source; a probability
// above 1 is 1. `stream` goes on to the next projection.
absl::StatusOr<Edges> ConnectFromStream(const Rule& rule, const Places& sources,
                                        const Places& targets, io::NumpyRandom& stream,
                                        const Work& work);

// Where nothing was drawn, livn connects the most probable pair: the first of those that are equally near, chunk by
// chunk and source by source.
absl::Status ConnectNearestIfNone(const Rule& rule, const Places& sources, const Places& targets,
                                  const Work& work, Edges& edges);

}  // namespace livnd::lab

#endif  // LIVND_LAB_GENERATE_CONNECT_DENSE_H_
