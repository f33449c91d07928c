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

using U64 = hn::ScalableTag<uint64_t>;
using V64 = hn::Vec<U64>;
constexpr int kBlocks = static_cast<int>(hn::MaxLanes(U64()));  // Philox blocks a call
constexpr int kPairs = 2 * kBlocks;

// kBlocks consecutive blocks, one a lane of 64 bits of which the low 32 count; words_out is
// [kBlocks][4] in stream order.
void PhiloxBlocks(const NoiseStreamKey& key, uint32_t first_block, uint32_t* words_out) {
  const U64 d;
  const V64 low = hn::Set(d, uint64_t{0xFFFFFFFF});
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
  alignas(64) uint64_t w[4][kBlocks];
  hn::Store(c0, d, w[0]);
  hn::Store(c1, d, w[1]);
  hn::Store(c2, d, w[2]);
  hn::Store(c3, d, w[3]);
  for (int b = 0; b < kBlocks; ++b) {
    for (int i = 0; i < 4; ++i) words_out[4 * b + i] = static_cast<uint32_t>(w[i][b]);
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
  alignas(64) uint32_t words[4 * kBlocks];
  int accepted = 0;
  int next_wanted = first;
  int buffered = 0;
  while (accepted < count) {
    // Blocks hold two pairs; an odd position starts in the middle of one.
    PhiloxBlocks(key, static_cast<uint32_t>(position / 2), words);
    int pair = static_cast<int>(position & 1);
    for (; pair < kPairs && accepted < count; ++pair) {
      const double u1 = (static_cast<double>(words[2 * pair]) + 1.0) / 4294967297.0;
      const double u2 = (static_cast<double>(words[2 * pair + 1]) + 1.0) / 4294967297.0;
      const double px = 2.0 * u1 - 1.0;
      const double py = 2.0 * u2 - 1.0;
      const double pw = px * px + py * py;
      ++position;
      if (pw > 1.0) continue;
      if (accepted == next_wanted) {
        next_wanted += every;
        x[buffered] = px;
        w[buffered] = pw;
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
