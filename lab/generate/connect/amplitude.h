// How likely a connection must be for cells to have as many inputs as asked for.
#ifndef LIVND_LAB_GENERATE_CONNECT_AMPLITUDE_H_
#define LIVND_LAB_GENERATE_CONNECT_AMPLITUDE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lab/generate/connect/edges.h"
#include "lab/generate/progress.h"

namespace livnd::lab {

// livn walks over the targets in chunks of as many.
inline constexpr int64_t kLivnChunk = 2048;

// The kernel's sum over all pairs, and its largest value.
struct KernelMass {
  double sum = 0.0;
  float max = 0.0f;
};

// mean_degree * targets / sum; 0 where there is nothing to connect.
double AmplitudeOf(const Rule& rule, const KernelMass& mass, size_t num_targets);

// A field error below connectivity.mean_degree unless no pair needs a probability above 1.
absl::Status CheckReachable(const Rule& rule, const KernelMass& mass, size_t num_sources,
                            size_t num_targets);

// The sum as livn takes it, with its rounding: in single precision and pairs (numpy.sum) over the sources times each
// chunk of targets, the chunks in double precision.
absl::StatusOr<KernelMass> LivnKernelMass(const Rule& rule, const Places& sources,
                                          const Places& targets, const Work& work);

}  // namespace livnd::lab

#endif  // LIVND_LAB_GENERATE_CONNECT_AMPLITUDE_H_
