// How copies of a culture share gangs, and gangs an executor.
#ifndef LIVND_ENV_GANG_SIZE_H_
#define LIVND_ENV_GANG_SIZE_H_

#include <algorithm>
#include <cstddef>

#include "sim/executor.h"
#include "sim/gang/gang.h"

namespace livnd::env {

// Copies whose state together stays near this size run as one gang: tiles fill, caches hold.
inline constexpr size_t kGangStateBytes = size_t{384} << 10;
// A gang of more tiles is worth several threads.
inline constexpr int kLargeGangTiles = 64;

// Copies in one gang; every thread gets some before a gang gets many.
inline int CopiesOfGang(int num_copies, size_t state_size, int concurrency) {
  const int fit =
      static_cast<int>(std::max<size_t>(1, kGangStateBytes / (state_size * sizeof(double))));
  const int share = (num_copies + concurrency - 1) / concurrency;
  return std::min(fit, share);
}

// What to advance a gang with, given its share of the executor; null: the calling thread.
inline sim::Executor* ExecutorFor(const sim::Gang& gang, sim::ExecutorShare& share) {
  return gang.num_tiles() > kLargeGangTiles && share.concurrency() > 1 ? &share : nullptr;
}

}  // namespace livnd::env

#endif  // LIVND_ENV_GANG_SIZE_H_
