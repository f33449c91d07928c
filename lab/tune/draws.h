// Random numbers of a search: bits of a generator that is the same everywhere.
#ifndef LIVND_LAB_TUNE_DRAWS_H_
#define LIVND_LAB_TUNE_DRAWS_H_

#include <cstddef>
#include <cstdint>
#include <random>

namespace livnd::lab {

// Not thread-safe.
class Draws {
 public:
  explicit Draws(uint32_t seed) : bits_(seed) {}

  // 0 <= x < 1.
  double Uniform() { return static_cast<double>(bits_() >> 11) * 0x1.0p-53; }
  // 0 .. n - 1.
  size_t Below(size_t n) { return static_cast<size_t>(Uniform() * static_cast<double>(n)); }

 private:
  std::mt19937_64 bits_;
};

}  // namespace livnd::lab

#endif  // LIVND_LAB_TUNE_DRAWS_H_
