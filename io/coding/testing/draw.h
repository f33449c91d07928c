// Random choices of tests that try codings on anything.
#ifndef LIVND_IO_CODING_TESTING_DRAW_H_
#define LIVND_IO_CODING_TESTING_DRAW_H_

#include <cstdint>
#include <random>

#include "io/testing/num_draws.h"

namespace livnd::io {

// How many there are of each coding; LIVND_CODING_DRAWS asks for more.
inline int NumCodingDraws(int usual) { return NumDraws("LIVND_CODING_DRAWS", usual); }

// The same seed makes the same choices.
class Draw {
 public:
  explicit Draw(uint64_t seed) : random_(seed) {}

  double Uniform() { return std::uniform_real_distribution<double>(0.0, 1.0)(random_); }
  int64_t Below(int64_t n) { return std::uniform_int_distribution<int64_t>(0, n - 1)(random_); }
  bool Chance(double p) { return Uniform() < p; }

 private:
  std::mt19937_64 random_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_CODING_TESTING_DRAW_H_
