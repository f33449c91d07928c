#include "sim/noise/noise_stream.h"

#include <algorithm>

#include "hwy/highway.h"
#include "sim/simd/math.h"
#include "sim/simd/vec.h"

namespace livnd::sim {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using simd::Fma;
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
    const Vec number = Vec{hn::BitCast(simd::F64Tag(), bits)} - Set(4503599627370496.0 - 1.0);
    return Fma(number, Set(2.0 / 4294967297.0), Set(-1.0));
  };
  const Vec x0 = variate(c0), y0 = variate(c1), x1 = variate(c2), y1 = variate(c3);
  hn::StoreInterleaved2(x0.v, x1.v, simd::F64Tag(), x_out);
  hn::StoreInterleaved2(Fma(x0, x0, y0 * y0).v, Fma(x1, x1, y1 * y1).v, simd::F64Tag(), w_out);
}

// For each set of four lanes, the halves of the lanes in it, in order, then halves of any.
struct CompressTable {
  alignas(32) uint32_t halves[16][8];
  constexpr CompressTable() : halves() {
    for (uint32_t set = 0; set < 16; ++set) {
      int n = 0;
      for (uint32_t lane = 0; lane < 4; ++lane) {
        if ((set >> lane & 1) == 0) continue;
        halves[set][n++] = 2 * lane;
        halves[set][n++] = 2 * lane + 1;
      }
    }
  }
};
constexpr CompressTable kCompress;

// The lanes of the mask, in order, at the front; `bits` is the mask.
HWY_INLINE Vec Compress(Vec a, simd::Mask mask, uint32_t bits) {
  if constexpr (simd::kLanes == 4) {
    const hn::Repartition<uint32_t, simd::F64Tag> d32;
    const auto indices = hn::IndicesFromVec(d32, hn::Load(d32, kCompress.halves[bits]));
    return {hn::BitCast(simd::F64Tag(), hn::TableLookupLanes(hn::BitCast(d32, a.v), indices))};
  } else {
    return {hn::Compress(a.v, mask.m)};
  }
}

// Accepted pairs that are kept before they are finished.
constexpr int kBuffer = 128;

// Normals of accepted pairs: x sqrt(-2 ln w / w), of every `every`-th from `first` on.
void Finish(const double* x, const double* w, int first, int every, int n, double* out) {
  alignas(64) double px[kBuffer + simd::kLanes], pw[kBuffer + simd::kLanes];
  if (every != 1) {
    for (int i = 0; i < n; ++i) {
      px[i] = x[first + i * every];
      pw[i] = w[first + i * every];
    }
    x = px;
    w = pw;
  }
  int i = 0;
  auto normals = [&](int at) {
    const Vec vw = Load(w + at);
    return Load(x + at) * simd::Sqrt(-2.0 * simd::Log(vw) / vw);
  };
  for (; i + simd::kLanes <= n; i += simd::kLanes) Store(normals(i), out + i);
  if (i == n) return;
  double rest[simd::kLanes];
  Store(normals(i), rest);
  std::copy_n(rest, n - i, out + i);
}

}  // namespace

int64_t DrawNormals(const NoiseStreamKey& key, int64_t position, int count, int first, int every,
                    double* out) {
  // Room for one call's pairs beyond the last that is wanted; whatever lies there is not used.
  alignas(64) double x[kBuffer + 2 * kPairs], w[kBuffer + 2 * kPairs];
  double pair_x[kPairs], pair_w[kPairs];
  while (count > 0) {
    const int wanted = std::min(count, kBuffer / every * every);
    int accepted = 0;
    while (accepted < wanted) {
      // Blocks hold two pairs; an odd position starts in the middle of one.
      const int skipped = static_cast<int>(position & 1);
      PolarPairs(key, static_cast<uint32_t>(position / 2), pair_x, pair_w);
      if (skipped != 0) pair_w[0] = 2.0;  // rejected
      uint32_t bits = 0;
      int kept = accepted;
      for (int i = 0; i < kPairs; i += simd::kLanes) {
        const Vec vw = Load(pair_w + i);
        const simd::Mask ok = vw <= Set(1.0);
        // Whole vectors are stored; what lies behind the accepted ones is overwritten or unused.
        const uint32_t lanes = simd::Bits(ok);
        bits |= lanes << i;
        Store(Compress(Load(pair_x + i), ok, lanes), x + kept);
        Store(Compress(vw, ok, lanes), w + kept);
        kept += __builtin_popcount(lanes);
      }
      if (kept < wanted) {
        position += kPairs - skipped;
      } else {
        // Behind the last pair that is wanted; the next call draws those after it.
        for (int i = wanted - accepted; i > 1; --i) bits &= bits - 1;
        position += __builtin_ctz(bits) + 1 - skipped;
      }
      accepted = kept;
    }
    const int used = (wanted - first + every - 1) / every;
    Finish(x, w, first, every, used, out);
    out += used;
    count -= wanted;
  }
  return position;
}

}  // namespace livnd::sim
