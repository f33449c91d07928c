// The random choice that livn's selections make: numpy.random.default_rng(seed).choice, bit for bit.
//
// Sources: NumPy's SeedSequence and Generator.choice (without replacement, shuffled), and PCG64,
// i.e. PCG XSL-RR 128/64 (O'Neill 2014).
#ifndef LIVND_IO_CULTURE_NUMPY_RANDOM_H_
#define LIVND_IO_CULTURE_NUMPY_RANDOM_H_

#include <cstdint>
#include <vector>

#include "absl/numeric/int128.h"

namespace livnd::io {

class NumpyRandom {
 public:
  explicit NumpyRandom(uint64_t seed);

  // `size` distinct numbers of 0 .. population - 1 in NumPy's order; 0 <= size <= population.
  std::vector<int64_t> Choice(int64_t population, int64_t size);

 private:
  uint64_t Next64();
  uint32_t Next32();               // halves of a 64-bit number, the low one first
  uint64_t Bounded(uint64_t max);  // uniform in 0 .. max; draws nothing for 0
  void Shuffle(std::vector<int64_t>& values, size_t first);

  absl::uint128 state_ = 0;
  absl::uint128 increment_ = 0;
  bool has_half_ = false;
  uint32_t half_ = 0;
};

}  // namespace livnd::io

#endif  // LIVND_IO_CULTURE_NUMPY_RANDOM_H_
