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
  constexpr uint64_t kM0 = 0xD2511F53, kM1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9u, kWeyl1 = 0xBB67AE85u;
  const Words low = SetWords(0xFFFFFFFF);
  const Words m0 = SetWords(kM0), m1 = SetWords(kM1);
  // One block a lane of 64 bits, of which the low 32 count; products look at no others. Blocks differ
  // in the first word of their counters only, which half of the first two rounds does not see.
  const uint64_t p1_first = key.id1 * kM1;
  const uint64_t p0_second = ((p1_first >> 32 ^ key.id3 ^ key.key0) & 0xFFFFFFFF) * kM0;
  const Words p0_first = simd::MultiplyLow32(simd::CountedWords(first_block), m0);
  const Words p1_second =
      simd::MultiplyLow32(simd::ShiftRight<32>(p0_first) ^ SetWords(key.id2), m1);
  Words c0 = simd::ShiftRight<32>(p1_second) ^ SetWords(p1_first ^ (key.key0 + kWeyl0));
  Words c1 = p1_second;
  Words c2 = p0_first ^ SetWords(p0_second >> 32 ^ kWeyl1);
  Words c3 = SetWords(p0_second);
  uint32_t k0 = key.key0 + 2 * kWeyl0, k1 = 2 * kWeyl1;
  for (int round = 2; round < 10; ++round) {
    const Words p0 = simd::MultiplyLow32(c0, m0);
    const Words p1 = simd::MultiplyLow32(c2, m1);
    c0 = simd::ShiftRight<32>(p1) ^ c1 ^ SetWords(k0);
    c2 = simd::ShiftRight<32>(p0) ^ c3 ^ SetWords(k1);
    c1 = p1;
    c3 = p0;
    k0 += kWeyl0;
    k1 += kWeyl1;
  }
  c0 = c0 & low;
  c1 = c1 & low;
  c2 = c2 & low;
  c3 = c3 & low;
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
    return Load(x + at) * simd::Sqrt(simd::MinusTwoLogByItself(vw));
  };
  for (; i + simd::kLanes <= n; i += simd::kLanes) Store(normals(i), out + i);
  if (i == n) return;
  double rest[simd::kLanes];
  Store(normals(i), rest);
  std::copy_n(rest, n - i, out + i);
}

}  // namespace

// Accepted pairs of one stream, in order.
struct Accepted {
  // Whole vectors are stored; what lies behind the accepted ones is overwritten or unused.
  alignas(64) double x[2 * kBuffer + 2 * kPairs], w[2 * kBuffer + 2 * kPairs];
  int num = 0;

  // The accepted of the pairs in x and w, whose bits it returns.
  HWY_INLINE uint32_t Take(const double* pair_x, const double* pair_w) {
    uint32_t bits = 0;
    for (int i = 0; i < kPairs; i += simd::kLanes) {
      const Vec vw = Load(pair_w + i);
      const simd::Mask ok = vw <= Set(1.0);
      const uint32_t lanes = simd::Bits(ok);
      bits |= lanes << i;
      Store(simd::Compress(Load(pair_x + i), ok, lanes), x + num);
      Store(simd::Compress(vw, ok, lanes), w + num);
      num += __builtin_popcount(lanes);
    }
    return bits;
  }
};

int64_t DrawNormals(const NoiseStreamKey& key, int64_t position, int count, int first, int every,
                    double* out) {
  // Calls that nearly always suffice are made without looking: a branch that waits for the last
  // round of a block costs more than the blocks.
  constexpr double kPairsForOne = 1.35;  // 4 / pi are needed in the mean
  constexpr int kMaxCalls = 2 * kBuffer / kPairs + 1;
  Accepted accepted;
  double pair_x[kPairs], pair_w[kPairs];
  uint32_t bits[kMaxCalls];
  int before[kMaxCalls];
  while (count > 0) {
    int wanted = std::min(count, kBuffer / every * every);
    // Blocks hold two pairs; an odd position starts in the middle of one.
    const int64_t block = position / 2;
    const int skipped = static_cast<int>(position & 1);
    const int enough = static_cast<int>((wanted + skipped) * kPairsForOne / kPairs) + 1;
    accepted.num = 0;
    int calls = 0;
    while (calls < kMaxCalls && (calls < enough || accepted.num < wanted)) {
      PolarPairs(key, static_cast<uint32_t>(block + calls * kBlocks), pair_x, pair_w);
      if (calls == 0 && skipped != 0) pair_w[0] = 2.0;  // rejected
      before[calls] = accepted.num;
      bits[calls] = accepted.Take(pair_x, pair_w);
      ++calls;
    }
    // One time in 1e28 even kMaxCalls do not suffice: the rest comes in the next round.
    wanted = std::min(wanted, accepted.num / every * every);
    // Behind the last pair that is wanted; the next call draws those after it.
    int last = calls - 1;
    while (before[last] >= wanted) --last;
    uint32_t rest = bits[last];
    for (int i = wanted - before[last]; i > 1; --i) rest &= rest - 1;
    position = 2 * block + last * kPairs + __builtin_ctz(rest) + 1;
    const int used = (wanted - first + every - 1) / every;
    Finish(accepted.x, accepted.w, first, every, used, out);
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
