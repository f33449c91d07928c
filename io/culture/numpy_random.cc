#include "io/culture/numpy_random.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "absl/container/flat_hash_set.h"

namespace livnd::io {
namespace {

// NumPy's SeedSequence(seed).generate_state(4, uint64) as 32-bit words.
std::array<uint32_t, 8> SeedWords(uint64_t seed) {
  constexpr int kPoolSize = 4;
  uint32_t constant = 0x43b0d7e5;
  auto hash = [&](uint32_t value) {
    value ^= constant;
    constant *= 0x931e8875;
    value *= constant;
    return value ^ (value >> 16);
  };
  std::array<uint32_t, kPoolSize> pool;
  pool[0] = hash(static_cast<uint32_t>(seed));
  pool[1] = hash(static_cast<uint32_t>(seed >> 32));
  pool[2] = hash(0);
  pool[3] = hash(0);
  for (int from = 0; from < kPoolSize; ++from) {
    for (int to = 0; to < kPoolSize; ++to) {
      if (from == to) continue;
      const uint32_t mixed = 0xca01f9ddu * pool[to] - 0x4973f715u * hash(pool[from]);
      pool[to] = mixed ^ (mixed >> 16);
    }
  }
  std::array<uint32_t, 8> words;
  constant = 0x8b51f9dd;
  for (size_t i = 0; i < words.size(); ++i) {
    uint32_t value = pool[i % kPoolSize] ^ constant;
    constant *= 0x58f38ded;
    value *= constant;
    words[i] = value ^ (value >> 16);
  }
  return words;
}

const absl::uint128 kMultiplier = absl::MakeUint128(0x2360ED051FC65DA4u, 0x4385DF649FCCF645u);

}  // namespace

NumpyRandom::NumpyRandom(uint64_t seed) {
  const std::array<uint32_t, 8> words = SeedWords(seed);
  auto word = [&](size_t i) { return uint64_t{words[2 * i + 1]} << 32 | words[2 * i]; };
  increment_ = absl::MakeUint128(word(2), word(3)) << 1 | 1;
  state_ = increment_ + absl::MakeUint128(word(0), word(1));
  state_ = state_ * kMultiplier + increment_;
}

uint64_t NumpyRandom::Next64() {
  state_ = state_ * kMultiplier + increment_;
  const uint64_t high = absl::Uint128High64(state_);
  const uint64_t folded = high ^ absl::Uint128Low64(state_);
  const int rotation = static_cast<int>(high >> 58);
  return folded >> rotation | folded << (-rotation & 63);
}

uint32_t NumpyRandom::Next32() {
  if (has_half_) {
    has_half_ = false;
    return half_;
  }
  const uint64_t next = Next64();
  has_half_ = true;
  half_ = static_cast<uint32_t>(next >> 32);
  return static_cast<uint32_t>(next);
}

// Jumps in a linear congruential generator: Brown, Random number generation with arbitrary strides (1994).
void NumpyRandom::Skip64(uint64_t count) {
  absl::uint128 multiplier = kMultiplier, increment = increment_;
  absl::uint128 all_multiplier = 1, all_increment = 0;
  for (; count > 0; count >>= 1) {
    if (count & 1) {
      all_multiplier *= multiplier;
      all_increment = all_increment * multiplier + increment;
    }
    increment *= multiplier + 1;
    multiplier *= multiplier;
  }
  state_ = all_multiplier * state_ + all_increment;
}

void NumpyRandom::SkipFloats(uint64_t count) {
  if (count > 0 && has_half_) {
    has_half_ = false;
    --count;
  }
  Skip64(count / 2);
  if (count % 2 == 1) Next32();
}

// Lemire's method (2019) on 32 bits: populations are far smaller than 2^32.
uint64_t NumpyRandom::Bounded(uint64_t max) {
  if (max == 0) return 0;
  const auto range = static_cast<uint32_t>(max + 1);
  uint64_t product = uint64_t{Next32()} * range;
  if (static_cast<uint32_t>(product) < range) {
    const uint32_t threshold = (0xFFFFFFFFu - static_cast<uint32_t>(max)) % range;
    while (static_cast<uint32_t>(product) < threshold) product = uint64_t{Next32()} * range;
  }
  return product >> 32;
}

void NumpyRandom::Shuffle(std::vector<int64_t>& values, size_t first) {
  for (size_t i = values.size(); i-- > first;) std::swap(values[Bounded(i)], values[i]);
}

std::vector<int64_t> NumpyRandom::Choice(int64_t population, int64_t size) {
  std::vector<int64_t> chosen;
  if (population > 10000 && size > population / 50) {
    chosen.resize(static_cast<size_t>(population));
    std::iota(chosen.begin(), chosen.end(), int64_t{0});
    Shuffle(chosen, static_cast<size_t>(std::max<int64_t>(population - size, 1)));
    return {chosen.end() - size, chosen.end()};
  }
  // Floyd's algorithm.
  absl::flat_hash_set<int64_t> taken;
  for (int64_t j = population - size; j < population; ++j) {
    auto value = static_cast<int64_t>(Bounded(static_cast<uint64_t>(j)));
    if (!taken.insert(value).second) {
      value = j;
      taken.insert(value);
    }
    chosen.push_back(value);
  }
  Shuffle(chosen, 1);
  return chosen;
}

}  // namespace livnd::io
