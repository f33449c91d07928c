#include "lab/generate/random/blake2b.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace livnd::lab {
namespace {

constexpr size_t kBlockBytes = 128;
constexpr int kNumRounds = 12;

// The fractional parts of the square roots of the first eight primes, as of SHA-512.
constexpr uint64_t kInitial[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                  0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                  0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

// RFC 7693, section 2.7.
constexpr uint8_t kSigma[10][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

uint64_t RotateRight(uint64_t x, int bits) { return x >> bits | x << (64 - bits); }

void Mix(uint64_t& a, uint64_t& b, uint64_t& c, uint64_t& d, uint64_t x, uint64_t y) {
  a += b + x;
  d = RotateRight(d ^ a, 32);
  c += d;
  b = RotateRight(b ^ c, 24);
  a += b + y;
  d = RotateRight(d ^ a, 16);
  c += d;
  b = RotateRight(b ^ c, 63);
}

// One block, shorter ones filled with zeros; `num_bytes` in all so far.
void Compress(std::array<uint64_t, 8>& state, absl::string_view block, uint64_t num_bytes,
              bool last) {
  std::array<uint64_t, 16> words = {};
  for (size_t i = 0; i < block.size(); ++i) {
    words[i / 8] |= uint64_t{static_cast<uint8_t>(block[i])} << (8 * (i % 8));
  }
  std::array<uint64_t, 16> v;
  std::copy(state.begin(), state.end(), v.begin());
  std::copy(std::begin(kInitial), std::end(kInitial), v.begin() + 8);
  v[12] ^= num_bytes;
  if (last) v[14] = ~v[14];
  for (int round = 0; round < kNumRounds; ++round) {
    const uint8_t* s = kSigma[round % 10];
    for (size_t i = 0; i < 4; ++i) {
      Mix(v[i], v[4 + i], v[8 + i], v[12 + i], words[s[2 * i]], words[s[2 * i + 1]]);
    }
    for (size_t i = 0; i < 4; ++i) {
      Mix(v[i], v[4 + (i + 1) % 4], v[8 + (i + 2) % 4], v[12 + (i + 3) % 4], words[s[8 + 2 * i]],
          words[s[9 + 2 * i]]);
    }
  }
  for (size_t i = 0; i < 8; ++i) state[i] ^= v[i] ^ v[i + 8];
}

}  // namespace

std::array<uint8_t, 16> Blake2b128(absl::string_view text) {
  std::array<uint8_t, 16> digest;
  std::array<uint64_t, 8> state;
  std::copy(std::begin(kInitial), std::end(kInitial), state.begin());
  state[0] ^= 0x01010000 ^ digest.size();  // no key, one leaf, as many bytes as asked for
  uint64_t num_bytes = 0;
  while (text.size() > kBlockBytes) {
    num_bytes += kBlockBytes;
    Compress(state, text.substr(0, kBlockBytes), num_bytes, false);
    text.remove_prefix(kBlockBytes);
  }
  Compress(state, text, num_bytes + text.size(), true);
  for (size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<uint8_t>(state[i / 8] >> (8 * (i % 8)));
  }
  return digest;
}

}  // namespace livnd::lab
