// What livn draws with numpy.random.default_rng(seed), bit for bit: the choice of its selections, and the numbers
// of its generator before 2.0.0.
//
// Sources: NumPy's SeedSequence and Generator (choice without replacement, shuffled; random), and PCG64,
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

  // random() and random(dtype=float32): in [0, 1), multiples of 2^-53 and 2^-24.
  double Double() { return static_cast<double>(Next64() >> 11) * 0x1p-53; }
  float Float() { return static_cast<float>(Next32() >> 8) * 0x1p-24f; }
  // As after that many calls of Float.
  void SkipFloats(uint64_t count);

 private:
  uint64_t Next64();
  void Skip64(uint64_t count);
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
