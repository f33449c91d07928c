// How episodes get their seeds.
#ifndef LIVND_ENV_SEED_H_
#define LIVND_ENV_SEED_H_

#include <cstdint>

namespace livnd::env {

// A good mixing of 64 bits (SplitMix64's finaliser; Steele, Lea and Flood 2014).
inline uint64_t Mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

// Seed of the n-th episode after a reset with `seed`: the seed itself first, then a stream of its
// own.
inline uint64_t EpisodeSeed(uint64_t seed, uint64_t n) {
  return n == 0 ? seed : Mix(Mix(seed) + n);
}

// Draws of one episode for different purposes are unrelated.
enum class SeedPurpose : uint64_t { kTarget = 1, kStart = 2, kServe = 3, kPattern = 4, kGuard = 5 };

// Uniform in [0, 1), a function of both arguments alone.
inline double UniformOf(uint64_t episode_seed, SeedPurpose purpose) {
  return static_cast<double>(Mix(Mix(episode_seed) ^ static_cast<uint64_t>(purpose)) >> 11) *
         0x1p-53;
}

}  // namespace livnd::env

#endif  // LIVND_ENV_SEED_H_
