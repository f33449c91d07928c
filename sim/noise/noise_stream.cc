#include "sim/noise/noise_stream.h"

#include <algorithm>
#include <type_traits>

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

  // The first variate x in (-1, 1) and the squared radius w of the pairs of kCalls calls, in stream
  // order. The rounds of a block wait for each other: several calls together take hardly longer than
  // one.
  template <int kCalls>
  HWY_INLINE void PolarPairs(uint32_t first_block, Vec (&x)[2 * kCalls],
                             Vec (&w)[2 * kCalls]) const {
    // One block a lane of 64 bits, of which the low 32 count; products look at no others.
    const Words m0 = SetWords(kM0), m1 = SetWords(kM1);
    Words c0[kCalls], c1[kCalls], c2[kCalls], c3[kCalls];
    for (int i = 0; i < kCalls; ++i) {
      const Words block = simd::CountedForInterleave(first_block + i * kBlocks);
      const Words p0_first = simd::MultiplyLow32(block, m0);
      const Words p1_second = simd::MultiplyLow32(simd::ShiftRight<32>(p0_first) ^ id2_, m1);
      c0[i] = simd::ShiftRight<32>(p1_second) ^ c0_;
      c1[i] = p1_second;
      c2[i] = p0_first ^ c2_;
      c3[i] = c3_;
    }
    for (int round = 0; round < 8; ++round) {
      for (int i = 0; i < kCalls; ++i) {
        const Words p0 = simd::MultiplyLow32(c0[i], m0);
        const Words p1 = simd::MultiplyLow32(c2[i], m1);
        c0[i] = simd::ShiftRight<32>(p1) ^ c1[i] ^ k0_[round];
        c2[i] = simd::ShiftRight<32>(p0) ^ c3[i] ^ k1_[round];
        c1[i] = p1;
        c3[i] = p0;
      }
    }
    for (int i = 0; i < kCalls; ++i) {
      const Vec x0 = Variate(c0[i]), y0 = Variate(c1[i]), x1 = Variate(c2[i]), y1 = Variate(c3[i]);
      const Vec w0 = Fma(x0, x0, y0 * y0), w1 = Fma(x1, x1, y1 * y1);
      x[2 * i] = simd::InterleaveLow(x0, x1);
      x[2 * i + 1] = simd::InterleaveHigh(x0, x1);
      w[2 * i] = simd::InterleaveLow(w0, w1);
      w[2 * i + 1] = simd::InterleaveHigh(w0, w1);
    }
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

  // Puts the accepted of kLanes pairs behind the `num` there are, and gives their lanes.
  HWY_INLINE uint32_t Take(Vec pair_x, Vec pair_w, int num) {
    const simd::Mask ok = pair_w <= Set(1.0);
    const uint32_t lanes = simd::Bits(ok);
    Store(simd::Compress(pair_x, ok, lanes), x + num);
    Store(simd::Compress(pair_w, ok, lanes), w + num);
    return lanes;
  }

  // Normals of the pairs from `at` on, or of every second pair: x sqrt(-2 ln w / w).
  template <int kNum>
  HWY_INLINE void Normals(int at, bool every_second, double* out) const {
    Vec nx[kNum], nw[kNum], squared[kNum];
    for (int i = 0; i < kNum; ++i) {
      if (every_second) {
        const int first = at + 2 * i * simd::kLanes, second = first + simd::kLanes;
        nx[i] = simd::EvenOf(Load(x + first), Load(x + second));
        nw[i] = simd::EvenOf(Load(w + first), Load(w + second));
      } else {
        nx[i] = Load(x + at + i * simd::kLanes);
        nw[i] = Load(w + at + i * simd::kLanes);
      }
    }
    simd::MinusTwoLogByItself(nw, squared);
    for (int i = 0; i < kNum; ++i) {
      Store(nx[i] * simd::Sqrt(squared[i]), out + i * simd::kLanes);
    }
  }

  // The first n of the normals from `first` on, or of every second of them.
  HWY_INLINE void Finish(int first, bool every_second, int n, double* out) const {
    constexpr int kMany = 2 * simd::kLanes;
    const int stride = every_second ? 2 : 1;
    int i = 0;
    for (; i + kMany <= n; i += kMany) Normals<2>(first + i * stride, every_second, out + i);
    for (; i < n; i += simd::kLanes) {
      double some[simd::kLanes];
      Normals<1>(first + i * stride, every_second, some);
      std::copy_n(some, std::min(simd::kLanes, n - i), out + i);
    }
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
  const bool every_second = every == 2;
  while (count > 0) {
    int wanted = std::min(count, kBuffer);
    // Blocks hold two pairs; an odd position starts in the middle of one.
    const int64_t block = position / 2;
    const int skipped = static_cast<int>(position & 1);
    const int enough = static_cast<int>((wanted + skipped) * kPairsForOne / kPairs) + 1;
    int num = 0;  // accepted
    int calls = 0;
    const auto draw = [&](auto num_calls) HWY_ATTR {
      constexpr int kCalls = num_calls;
      Vec x[2 * kCalls], w[2 * kCalls];
      philox.PolarPairs<kCalls>(static_cast<uint32_t>(block + calls * kBlocks), x, w);
      if (calls == 0 && skipped != 0) w[0] = simd::WithFirstLane(w[0], 2.0);  // rejected
      for (int i = 0; i < kCalls; ++i, ++calls) {
        before[calls] = num;
        const uint32_t low = accepted.Take(x[2 * i], w[2 * i], num);
        num += __builtin_popcount(low);
        const uint32_t high = accepted.Take(x[2 * i + 1], w[2 * i + 1], num);
        num += __builtin_popcount(high);
        bits[calls] = low | high << simd::kLanes;
      }
    };
    while (calls + 2 <= enough) draw(std::integral_constant<int, 2>());
    while (calls < kMaxCalls && (calls < enough || num < wanted)) {
      draw(std::integral_constant<int, 1>());
    }
    // One time in 1e28 even kMaxCalls do not suffice: the rest comes in the next round.
    if (num < wanted) wanted = every_second ? num / 2 * 2 : num;
    // Behind the last pair that is wanted; the next call draws those after it.
    int last = calls - 1;
    while (before[last] >= wanted) --last;
    uint32_t rest = bits[last];
    for (int i = wanted - before[last]; i > 1; --i) rest &= rest - 1;
    position = 2 * block + last * kPairs + __builtin_ctz(rest) + 1;
    const int used = every_second ? (wanted - first + 1) / 2 : wanted;
    accepted.Finish(first, every_second, used, out);
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
