#include "sim/noise/noise_stream.h"

#include <algorithm>

#include "hwy/highway.h"
#include "sim/simd/math.h"
#include "sim/simd/vec.h"

namespace livnd::sim {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using simd::Load;
using simd::Set;
using simd::Store;
using simd::Vec;

using U64 = simd::U64Tag;
using V64 = hn::Vec<U64>;
constexpr int kBlocks = simd::kLanes;  // Philox blocks a call
constexpr int kPairs = 2 * kBlocks;

// Pairs of kBlocks consecutive blocks, in stream order: the first variate x in (-1, 1) and the
// squared radius w of each.
void PolarPairs(const NoiseStreamKey& key, uint32_t first_block, double* x_out, double* w_out) {
  const U64 d;
  const V64 low = hn::Set(d, uint64_t{0xFFFFFFFF});
  // One block a lane of 64 bits, of which the low 32 count.
  V64 c0 = hn::And(hn::Add(hn::Set(d, uint64_t{first_block}), hn::Iota(d, 0)), low);
  V64 c1 = hn::Set(d, uint64_t{key.id3});
  V64 c2 = hn::Set(d, uint64_t{key.id1});
  V64 c3 = hn::Set(d, uint64_t{key.id2});
  uint32_t k0 = key.key0, k1 = 0;
  const V64 m0 = hn::Set(d, uint64_t{0xD2511F53});
  const V64 m1 = hn::Set(d, uint64_t{0xCD9E8D57});
  // 32 x 32 -> 64 bit products of the low halves.
  auto multiply = [](V64 a, V64 b) {
    const hn::Repartition<uint32_t, U64> d32;
    return hn::MulEven(hn::BitCast(d32, a), hn::BitCast(d32, b));
  };
  for (int round = 0; round < 10; ++round) {
    const V64 p0 = multiply(c0, m0);
    const V64 p1 = multiply(c2, m1);
    const V64 n0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), c1), hn::Set(d, uint64_t{k0}));
    const V64 n2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), c3), hn::Set(d, uint64_t{k1}));
    c1 = hn::And(p1, low);
    c3 = hn::And(p0, low);
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  // A word as a number through the mantissa of 2^52, then 2 (word + 1) / 4294967297 - 1.
  auto variate = [&](V64 word) {
    const V64 bits = hn::Or(word, hn::Set(d, uint64_t{0x4330000000000000}));
    const Vec number = Vec{hn::BitCast(simd::F64Tag(), bits)} - Set(4503599627370496.0);
    return 2.0 * ((number + 1.0) / Set(4294967297.0)) - 1.0;
  };
  double x[2][kBlocks], w[2][kBlocks];
  auto pair = [&](V64 first, V64 second, int which) {
    const Vec px = variate(first);
    const Vec py = variate(second);
    Store(px, x[which]);
    Store(px * px + py * py, w[which]);
  };
  pair(c0, c1, 0);
  pair(c2, c3, 1);
  for (int b = 0; b < kBlocks; ++b) {
    for (int which = 0; which < 2; ++which) {
      x_out[2 * b + which] = x[which][b];
      w_out[2 * b + which] = w[which][b];
    }
  }
}

constexpr int kBuffer = 64;

// Normals of accepted pairs (x, w): x sqrt(-2 ln w / w).
void Finish(const double* x, const double* w, int n, double* out, int stride) {
  alignas(64) double z[kBuffer + simd::kLanes];
  for (int i = 0; i < n; i += simd::kLanes) {
    const Vec vw = Load(w + i);
    Store(Load(x + i) * simd::Sqrt(-2.0 * simd::Log(vw) / vw), z + i);
  }
  for (int i = 0; i < n; ++i) out[i * stride] = z[i];
}

}  // namespace

int64_t DrawNormals(const NoiseStreamKey& key, int64_t position, int count, int first, int every,
                    double* out, int stride) {
  alignas(64) double x[kBuffer + simd::kLanes], w[kBuffer + simd::kLanes];
  std::fill_n(x, kBuffer + simd::kLanes, 0.0);
  std::fill_n(w, kBuffer + simd::kLanes, 1.0);
  double pair_x[kPairs], pair_w[kPairs];
  int accepted = 0;
  int next_wanted = first;
  int buffered = 0;
  while (accepted < count) {
    // Blocks hold two pairs; an odd position starts in the middle of one.
    PolarPairs(key, static_cast<uint32_t>(position / 2), pair_x, pair_w);
    int pair = static_cast<int>(position & 1);
    for (; pair < kPairs && accepted < count; ++pair) {
      ++position;
      if (pair_w[pair] > 1.0) continue;
      if (accepted == next_wanted) {
        next_wanted += every;
        x[buffered] = pair_x[pair];
        w[buffered] = pair_w[pair];
        if (++buffered == kBuffer) {
          Finish(x, w, buffered, out, stride);
          out += buffered * stride;
          buffered = 0;
        }
      }
      ++accepted;
    }
  }
  Finish(x, w, buffered, out, stride);
  return position;
}

}  // namespace livnd::sim
