// Random numbers that are looked up: a function of a seed, names and a counter, by whatever thread in whatever order.
//
// Philox 4x64-10 (Salmon et al., SC 2011) whose key is the digest of the seed and the names, as in livn 2.0.0
// (generate_2d.py, StableRandom): with the same seed, names and counters these are livn's numbers.
#ifndef LIVND_LAB_GENERATE_RANDOM_NAMED_RANDOM_H_
#define LIVND_LAB_GENERATE_RANDOM_NAMED_RANDOM_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "Random123/philox.h"
#include "absl/strings/string_view.h"

namespace livnd::lab {

class NamedRandom {
 public:
  using Words = r123::Philox4x64::ctr_type;

  NamedRandom(uint64_t seed, std::initializer_list<absl::string_view> names);

  // Four words of 64 random bits.
  Words At(const Words& counter) const { return r123::Philox4x64()(counter, key_); }
  // The same as numpy.random.Philox(key, counter=first_block).random_raw gives them: block i of it has the
  // counter first_block + 1 + i.
  Words NumpyBlock(uint64_t first_block, uint64_t i) const {
    return At({{first_block + 1 + i, 0, 0, 0}});
  }

 private:
  r123::Philox4x64::key_type key_;
};

// In (0, 1) with 52 bits.
inline double OpenUnit(uint64_t word) { return (static_cast<double>(word >> 12) + 0.5) * 0x1p-52; }
// In [0, 1), as livn's: the upper 24 bits.
inline float LivnUnit(uint64_t word) { return static_cast<float>(word >> 40) * 0x1p-24f; }

// One number after another, as livn's coordinates are drawn: 24 bits each, and a draw of n goes n blocks on.
class LivnSequence {
 public:
  explicit LivnSequence(const NamedRandom& random) : random_(random) {}

  std::vector<float> Random(size_t size);
  // In single precision throughout.
  std::vector<float> Uniform(double low, double high, size_t size);

 private:
  const NamedRandom random_;
  uint64_t position_ = 0;
};

}  // namespace livnd::lab

#endif  // LIVND_LAB_GENERATE_RANDOM_NAMED_RANDOM_H_
