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

// One stream, kBlocks consecutive blocks a call.
class Philox {
 public:
  HWY_INLINE explicit Philox(const NoiseStreamKey& key) {
    // Blocks differ in the first word of their counters only, which half of the first two rounds does
    // not see.
    const uint64_t p1_first = key.id1 * kM1;
    const uint64_t p0_second = ((p1_first >> 32 ^ key.id3 ^ key.key0) & 0xFFFFFFFF) * kM0;
    id2_ = SetWords(key.id2);
    c0_ = SetWords(p1_first ^ (key.key0 + kWeyl0));
    c2_ = SetWords(p0_second >> 32 ^ kWeyl1);
    c3_ = SetWords(p0_second);
    for (uint32_t round = 2; round < 10; ++round) {
      k0_[round - 2] = SetWords(key.key0 + round * kWeyl0);
      k1_[round - 2] = SetWords(round * kWeyl1);
    }
  }

  // The first variate x in (-1, 1) and the squared radius w of the blocks' pairs, in stream order.
  HWY_INLINE void PolarPairs(uint32_t first_block, Vec x[2], Vec w[2]) const {
    // One block a lane of 64 bits, of which the low 32 count; products look at no others.
    const Words m0 = SetWords(kM0), m1 = SetWords(kM1);
    const Words p0_first = simd::MultiplyLow32(simd::CountedForInterleave(first_block), m0);
    const Words p1_second = simd::MultiplyLow32(simd::ShiftRight<32>(p0_first) ^ id2_, m1);
    Words c0 = simd::ShiftRight<32>(p1_second) ^ c0_;
    Words c1 = p1_second;
    Words c2 = p0_first ^ c2_;
    Words c3 = c3_;
    for (int round = 0; round < 8; ++round) {
      const Words p0 = simd::MultiplyLow32(c0, m0);
      const Words p1 = simd::MultiplyLow32(c2, m1);
      c0 = simd::ShiftRight<32>(p1) ^ c1 ^ k0_[round];
      c2 = simd::ShiftRight<32>(p0) ^ c3 ^ k1_[round];
      c1 = p1;
      c3 = p0;
    }
    const Vec x0 = Variate(c0), y0 = Variate(c1), x1 = Variate(c2), y1 = Variate(c3);
    const Vec w0 = Fma(x0, x0, y0 * y0), w1 = Fma(x1, x1, y1 * y1);
    x[0] = simd::InterleaveLow(x0, x1);
    x[1] = simd::InterleaveHigh(x0, x1);
    w[0] = simd::InterleaveLow(w0, w1);
    w[1] = simd::InterleaveHigh(w0, w1);
  }

 private:
  static constexpr uint64_t kM0 = 0xD2511F53, kM1 = 0xCD9E8D57;
  static constexpr uint32_t kWeyl0 = 0x9E3779B9u, kWeyl1 = 0xBB67AE85u;

  // A word as a number through the mantissa of 2^52, then 2 (word + 1) / 4294967297 - 1.
  static HWY_INLINE Vec Variate(Words word) {
    const Vec number = simd::FromBits(simd::JoinHalves(word, SetWords(0x4330000000000000))) -
                       Set(4503599627370496.0 - 1.0);
    return Fma(number, Set(2.0 / 4294967297.0), Set(-1.0));
  }

  Words id2_, c0_, c2_, c3_;  // what the first two rounds need
  Words k0_[8], k1_[8];       // keys of the others
};

// Accepted pairs that are kept before they are finished.
constexpr int kBuffer = 128;

// Accepted pairs of one stream, in order.
struct Accepted {
  // Whole vectors are stored; what lies behind the accepted ones is overwritten or unused.
  alignas(64) double x[2 * kBuffer + 2 * kPairs], w[2 * kBuffer + 2 * kPairs];
  int num = 0;

  // Takes the accepted of kLanes pairs and gives their lanes.
  HWY_INLINE uint32_t Take(Vec pair_x, Vec pair_w) {
    const simd::Mask ok = pair_w <= Set(1.0);
    const uint32_t lanes = simd::Bits(ok);
    Store(simd::Compress(pair_x, ok, lanes), x + num);
    Store(simd::Compress(pair_w, ok, lanes), w + num);
    num += __builtin_popcount(lanes);
    return lanes;
  }

  // Normals of kLanes pairs from `at` on, or of every second pair: x sqrt(-2 ln w / w).
  HWY_INLINE Vec Normals(int at, bool every_second) const {
    Vec nx = Load(x + at), nw = Load(w + at);
    if (every_second) {
      nx = simd::EvenOf(nx, Load(x + at + simd::kLanes));
      nw = simd::EvenOf(nw, Load(w + at + simd::kLanes));
    }
    return nx * simd::Sqrt(simd::MinusTwoLogByItself(nw));
  }

  // The first n of the normals from `first` on, or of every second of them.
  HWY_INLINE void Finish(int first, bool every_second, int n, double* out) const {
    const int stride = every_second ? 2 : 1;
    int i = 0;
    for (; i + simd::kLanes <= n; i += simd::kLanes) {
      Store(Normals(first + i * stride, every_second), out + i);
    }
    if (i == n) return;
    double rest[simd::kLanes];
    Store(Normals(first + i * stride, every_second), rest);
    std::copy_n(rest, n - i, out + i);
  }
};

}  // namespace

int64_t DrawNormals(const NoiseStreamKey& key, int64_t position, int count, int first, int every,
                    double* out) {
  // Calls that nearly always suffice are made without looking: a branch that waits for the last
  // round of a block costs more than the blocks.
  constexpr double kPairsForOne = 1.35;  // 4 / pi are needed in the mean
  constexpr int kMaxCalls = 2 * kBuffer / kPairs + 1;
  const Philox philox(key);
  Accepted accepted;
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
      Vec x[2], w[2];
      philox.PolarPairs(static_cast<uint32_t>(block + calls * kBlocks), x, w);
      if (calls == 0 && skipped != 0) w[0] = simd::WithFirstLane(w[0], 2.0);  // rejected
      before[calls] = accepted.num;
      bits[calls] = accepted.Take(x[0], w[0]);
      bits[calls] |= accepted.Take(x[1], w[1]) << simd::kLanes;
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
    accepted.Finish(first, every == 2, used, out);
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
