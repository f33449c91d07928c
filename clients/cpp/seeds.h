// Seeds of copies, of which some may have none, as requests carry them. Not for users of the library.
#ifndef LIVND_CLIENTS_CPP_SEEDS_H_
#define LIVND_CLIENTS_CPP_SEEDS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "clients/cpp/tensor.h"

namespace livnd::client::internal {

// Sets `seeds` and `seed_present` of a request, or neither if `copies` is empty.
template <typename Request>
void PackSeeds(const std::vector<std::optional<uint64_t>>& copies, Request* request) {
  if (copies.empty()) return;
  std::vector<uint64_t> seeds;
  std::vector<uint8_t> present;
  for (const std::optional<uint64_t>& seed : copies) {
    seeds.push_back(seed.value_or(0));
    present.push_back(seed.has_value());
  }
  const auto n = static_cast<int64_t>(seeds.size());
  Pack(seeds, {n}, request->mutable_seeds());
  Pack(present, {n}, request->mutable_seed_present());
}

}  // namespace livnd::client::internal

#endif  // LIVND_CLIENTS_CPP_SEEDS_H_
