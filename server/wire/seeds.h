// Seeds of copies, as Reset and Clear take them.
#ifndef LIVND_SERVER_WIRE_SEEDS_H_
#define LIVND_SERVER_WIRE_SEEDS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "livnd/v1/tensor.pb.h"

namespace livnd::server {

// Of a request's `seeds` and `seed_present`, null where absent: one entry a copy, or none at all where
// no copy has a seed. INVALID_FIELD names "seeds" or "seed_present".
absl::StatusOr<std::vector<std::optional<uint64_t>>> ParseSeeds(const v1::Tensor* seeds,
                                                                const v1::Tensor* seed_present,
                                                                int num_envs);

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_SEEDS_H_
