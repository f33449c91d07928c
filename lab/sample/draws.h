// What is drawn for a sample: functions of the plan's seed and of the sample's number alone.
#ifndef LIVND_LAB_SAMPLE_DRAWS_H_
#define LIVND_LAB_SAMPLE_DRAWS_H_

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "env/seed.h"

namespace livnd::lab {

// The seed of a sample's noise, of 32 bits as livn's are. One-to-one in `sample`, so that no two samples of a
// plan have the same noise (the finaliser of MurmurHash3, Appleby 2016).
inline uint32_t NoiseSeed(uint64_t plan_seed, uint32_t sample) {
  uint32_t x = sample + static_cast<uint32_t>(env::Mix(plan_seed));
  x = (x ^ (x >> 16)) * 0x85EBCA6Bu;
  x = (x ^ (x >> 13)) * 0xC2B2AE35u;
  return x ^ (x >> 16);
}

// Uniform in [low, high]; of whole ones each number of them as often.
struct DrawnRange {
  double low = 0.0;
  double high = 0.0;
  bool is_whole = false;
};

// The number at a place in a sample.
inline float DrawFeature(uint64_t plan_seed, uint64_t sample, uint64_t place, const DrawnRange& r) {
  const uint64_t bits = env::Mix(env::Mix(env::Mix(plan_seed) + sample) + place);
  const double u = static_cast<double>(bits >> 11) * 0x1p-53;
  if (!r.is_whole) return static_cast<float>(r.low + u * (r.high - r.low));
  const double low = std::ceil(r.low), high = std::floor(r.high);
  return static_cast<float>(std::min(high, low + std::floor(u * (high - low + 1.0))));
}

}  // namespace livnd::lab

#endif  // LIVND_LAB_SAMPLE_DRAWS_H_
