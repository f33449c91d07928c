#include "sim/noise/noise_stream.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/noise/noise_stream.cc"
#include "hwy/foreach_target.h"
// foreach_target.h comes before whatever uses instructions.
#include "hwy/highway.h"
#include "sim/simd/math.h"
#include "sim/simd/vec.h"

HWY_BEFORE_NAMESPACE();
namespace livnd::sim::HWY_NAMESPACE {
namespace {

using simd::Fma;
using simd::Load;
using simd::Set;
using simd::Store;
using simd::Vec;

using simd::SetWords;
using simd::Words;

constexpr int kBlocks = simd::kLanes;  // Philox blocks a call
constexpr int kPairs = 2 * kBlocks;

// Pairs of kBlocks consecutive blocks, in stream order: the first variate x in (-1, 1) and the
// squared radius w of each.
void PolarPairs(const NoiseStreamKey& key, uint32_t first_block, double* x_out, double* w_out) {
  const Words low = SetWords(0xFFFFFFFF);
  // One block a lane of 64 bits, of which the low 32 count.
  Words c0 = simd::CountedWords(first_block) & low;
  Words c1 = SetWords(key.id3);
  Words c2 = SetWords(key.id1);
  Words c3 = SetWords(key.id2);
  uint32_t k0 = key.key0, k1 = 0;
  const Words m0 = SetWords(0xD2511F53);
  const Words m1 = SetWords(0xCD9E8D57);
  for (int round = 0; round < 10; ++round) {
    const Words p0 = simd::MultiplyLow32(c0, m0);
    const Words p1 = simd::MultiplyLow32(c2, m1);
    const Words n0 = simd::ShiftRight<32>(p1) ^ c1 ^ SetWords(k0);
    const Words n2 = simd::ShiftRight<32>(p0) ^ c3 ^ SetWords(k1);
    c1 = p1 & low;
    c3 = p0 & low;
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  // A word as a number through the mantissa of 2^52, then 2 (word + 1) / 4294967297 - 1.
  auto variate = [](Words word) HWY_ATTR {
    const Vec number =
        simd::FromBits(word | SetWords(0x4330000000000000)) - Set(4503599627370496.0 - 1.0);
    return Fma(number, Set(2.0 / 4294967297.0), Set(-1.0));
  };
  const Vec x0 = variate(c0), y0 = variate(c1), x1 = variate(c2), y1 = variate(c3);
  simd::StoreInterleaved(x0, x1, x_out);
  simd::StoreInterleaved(Fma(x0, x0, y0 * y0), Fma(x1, x1, y1 * y1), w_out);
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
  auto normals = [&](int at) HWY_ATTR {
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
        Store(simd::Compress(Load(pair_x + i), ok, lanes), x + kept);
        Store(simd::Compress(vw, ok, lanes), w + kept);
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

}  // namespace livnd::sim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace livnd::sim {

HWY_EXPORT(DrawNormals);

int64_t DrawNormals(const NoiseStreamKey& key, int64_t position, int count, int first, int every,
                    double* out) {
  return HWY_DYNAMIC_DISPATCH(DrawNormals)(key, position, count, first, every, out);
}

}  // namespace livnd::sim
#endif  // HWY_ONCE
