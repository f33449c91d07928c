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
constexpr int kCalls = 3;  // made together

constexpr uint32_t kWeyl0 = 0x9E3779B9u, kWeyl1 = 0xBB67AE85u;  // from round to round of the keys

// The second word of the keys of rounds 2 to 9, which all streams share, in every lane.
struct Key1 {
  alignas(64) uint64_t of_round[8][simd::kLanes];
  constexpr Key1() : of_round() {
    for (uint32_t round = 0; round < 8; ++round) {
      for (uint64_t& lane : of_round[round]) lane = (round + 2) * kWeyl1;
    }
  }
};
constexpr Key1 kKey1;

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
    for (uint32_t round = 0; round < 8; ++round) {
      k0_[round] = SetWords(key.key0 + (round + 2) * kWeyl0);
    }
  }

  // The first variate x in (-1, 1) and the squared radius w of the pairs of kCalls calls, in stream
  // order. The rounds of a block wait for each other: several calls together take hardly longer than
  // one, and beside(round), for rounds 0 to 7, is done in between.
  template <typename Beside>
  HWY_INLINE void PolarPairs(uint32_t first_block, Vec (&x)[2 * kCalls], Vec (&w)[2 * kCalls],
                             Beside beside) const {
    // One block a lane of 64 bits, of which the low 32 count; products look at no others.
    const Words m0 = SetWords(kM0), m1 = SetWords(kM1);
    Words c0[kCalls], c1[kCalls], c2[kCalls], c3[kCalls];
#pragma GCC unroll 3
    for (int i = 0; i < kCalls; ++i) {
      const Words block = simd::CountedForInterleave(first_block + i * kBlocks);
      const Words p0_first = simd::MultiplyLow32(block, m0);
      const Words p1_second = simd::MultiplyLow32(simd::ShiftRight<32>(p0_first) ^ id2_, m1);
      c0[i] = simd::ShiftRight<32>(p1_second) ^ c0_;
      c1[i] = p1_second;
      c2[i] = p0_first ^ c2_;
      c3[i] = c3_;
    }
#pragma GCC unroll 8
    for (int round = 0; round < 8; ++round) {
      beside(round);
#pragma GCC unroll 3
      for (int i = 0; i < kCalls; ++i) {
        const Words p0 = simd::MultiplyLow32(c0[i], m0);
        const Words p1 = simd::MultiplyLow32(c2[i], m1);
        c0[i] = simd::ShiftRight<32>(p1) ^ (c1[i] ^ k0_[round]);
        c2[i] = simd::ShiftRight<32>(p0) ^ (c3[i] ^ simd::LoadWords(kKey1.of_round[round]));
        c1[i] = p1;
        c3[i] = p0;
      }
    }
#pragma GCC unroll 3
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

  // A word as a number through the mantissa of 2^52, then 2 (word + 1) / 4294967297 - 1 in one
  // multiply-add: 2 / 4294967297 is 2^-31 - 2^-63 and what goes with it is a double, both but for
  // 2^-64 of themselves.
  static HWY_INLINE Vec Variate(Words word) {
    const Vec number = simd::FromBits(simd::JoinHalves(word, SetWords(0x4330000000000000)));
    return Fma(number, Set(0x1.fffffffep-32), Set(-0x1.000007fefffffp+21));
  }

  Words id2_, c0_, c2_, c3_;  // what the first two rounds need
  Words k0_[8];               // keys of the others
};

// The tail of the atanh series (simd::kAtanhTail) as a polynomial in t^2 with t = -2 s:
// 2 atanh s = t (-1 + t^2 tail(t^2)).
struct TailOfMinusTwoS {
  double c[simd::kAtanhTerms];  // highest power first
  constexpr TailOfMinusTwoS() : c() {
    double scale = -0.125;
    for (int i = simd::kAtanhTerms - 1; i >= 0; --i, scale *= 0.25) {
      c[i] = scale * simd::kAtanhTail[i];
    }
  }
};
constexpr TailOfMinusTwoS kTail;

// x sqrt(-2 ln w / w) of a tile's lanes, within 5 ulp, in parts that mostly wait for each other.
//
// w = 2^k m with m in [sqrt(1/2), sqrt(2)), f = m - 1, s = f / (2 + f): ln w = k ln 2 + 2 atanh s.
class Normals {
 public:
  static constexpr int kNum = kTileLanes / simd::kLanes;

  HWY_INLINE void Divide(const Vec (&x)[kNum], const Vec (&w)[kNum]) {
    for (int i = 0; i < kNum; ++i) {
      // Of k + 64, which is a number without a sign; m is as much smaller.
      const Words bits = simd::BitsOf(w[i]);
      const Words exponent = (bits - SetWords(0x3BE6A09E667F3BCD)) & SetWords(0xFFF0000000000000);
      k_[i] = simd::FromBits(simd::ShiftRight<52>(exponent) | SetWords(0x4330000000000000)) -
              Set(4503599627370496.0 + 64.0);
      const Vec m = simd::FromBits(bits - exponent);
      const Vec f = Fma(m, Set(0x1p64), Set(-1.0));
      // Both quotients for one division.
      const Vec g = Set(2.0) + f;
      const Vec reciprocal = Set(-2.0) / (g * w[i]);
      t_[i] = f * w[i] * reciprocal;
      minus_2_by_w_[i] = g * reciprocal;
      z_[i] = t_[i] * t_[i];
      tail_[i] = Set(kTail.c[0]);
      x_[i] = x[i];
    }
  }
  // c: 1 to kAtanhTerms - 1.
  HWY_INLINE void AddTerm(int c) {
    for (int i = 0; i < kNum; ++i) tail_[i] = Fma(tail_[i], z_[i], Set(kTail.c[c]));
  }
  HWY_INLINE void Finish(double* out) const {
    for (int i = 0; i < kNum; ++i) {
      const Vec log = Fma(k_[i], Set(simd::kLn2), t_[i] * Fma(tail_[i], z_[i], Set(-1.0)));
      Store(x_[i] * simd::Sqrt(log * minus_2_by_w_[i]), out + i * simd::kLanes);
    }
  }

 private:
  Vec x_[kNum], k_[kNum], minus_2_by_w_[kNum], t_[kNum], z_[kNum], tail_[kNum];
};

// Pairs of a stream that are accepted before they become normals.
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
};

// Accepted pairs on their way to `left` normals.
struct Unfinished {
  const double* x = nullptr;
  const double* w = nullptr;
  bool every_second = false;  // of the pairs
  int left = 0;
  double* out = nullptr;

  HWY_INLINE void Take(Normals& normals) {
    Vec some_x[Normals::kNum], some_w[Normals::kNum];
    if (every_second) {
      for (int i = 0; i < Normals::kNum; ++i, x += 2 * simd::kLanes, w += 2 * simd::kLanes) {
        some_x[i] = simd::EvenOf(Load(x), Load(x + simd::kLanes));
        some_w[i] = simd::EvenOf(Load(w), Load(w + simd::kLanes));
      }
    } else {
      for (int i = 0; i < Normals::kNum; ++i, x += simd::kLanes, w += simd::kLanes) {
        some_x[i] = Load(x);
        some_w[i] = Load(w);
      }
    }
    normals.Divide(some_x, some_w);
  }
  HWY_INLINE void Put(const Normals& normals) {
    normals.Finish(out);
    out += kTileLanes;
    left -= kTileLanes;
  }
  HWY_INLINE void All() {
    while (left > 0) {
      Normals normals;
      Take(normals);
      for (int c = 1; c < simd::kAtanhTerms; ++c) normals.AddTerm(c);
      Put(normals);
    }
  }
};

// Accepts pairs from *position on, `wanted` of them or, one time in 1e28, some fewer; gives their
// number and moves *position behind the last.
HWY_INLINE int Accept(const Philox& philox, int wanted, int64_t* position, Accepted& accepted,
                      Unfinished& unfinished) {
  // Calls that nearly always suffice are made without looking: a branch that waits for the last
  // round of a block costs more than the blocks.
  constexpr double kPairsForOne = 1.3;  // 4 / pi are needed in the mean
  constexpr int kMaxCalls = 2 * kBuffer / kPairs + kCalls;
  // Blocks hold two pairs; an odd position starts in the middle of one.
  const int64_t block = *position / 2;
  const int skipped = static_cast<int>(*position & 1);
  const int enough = static_cast<int>((wanted + skipped) * kPairsForOne / kPairs) + 1;
  uint64_t taken[kMaxCalls];  // accepted before a call, and the lanes accepted in it
  int num = 0;                // accepted
  int calls = 0;
  const auto draw = [&](auto finishes) HWY_ATTR {
    Vec x[2 * kCalls], w[2 * kCalls];
    Normals normals;
    const auto beside = [&](int round) HWY_ATTR {
      if constexpr (finishes) {
        if (round == 0) unfinished.Take(normals);
        if (round > 1) normals.AddTerm(round - 1);
      }
    };
    philox.PolarPairs(static_cast<uint32_t>(block + calls * kBlocks), x, w, beside);
    if constexpr (finishes) unfinished.Put(normals);
    if (calls == 0 && skipped != 0) w[0] = simd::WithFirstLane(w[0], 2.0);  // rejected
    for (int i = 0; i < kCalls; ++i, ++calls) {
      const uint64_t before = num;
      const uint32_t low = accepted.Take(x[2 * i], w[2 * i], num);
      num += __builtin_popcount(low);
      const uint32_t high = accepted.Take(x[2 * i + 1], w[2 * i + 1], num);
      num += __builtin_popcount(high);
      taken[calls] = before << 32 | low | high << simd::kLanes;
    }
  };
  while (calls + kCalls <= kMaxCalls && (calls < enough || num < wanted)) {
    if (unfinished.left > 0) {
      draw(std::true_type());
    } else {
      draw(std::false_type());
    }
  }
  wanted = std::min(wanted, num);
  int last = calls - 1;
  while (static_cast<int>(taken[last] >> 32) >= wanted) --last;
  *position = 2 * block + last * kPairs + 1 +
              simd::IndexOfBit(static_cast<uint32_t>(taken[last]),
                               wanted - static_cast<int>(taken[last] >> 32));
  return wanted;
}

}  // namespace

void DrawNormals(NoiseDraw* draws, int num_draws) {
  Accepted buffers[2];
  int buffer = 0;
  Unfinished unfinished;
  for (int d = 0; d < num_draws; ++d) {
    NoiseDraw& draw = draws[d];
    const Philox philox(draw.key);
    double* out = draw.out;
    for (int done = 0; done < draw.count;) {
      Accepted& accepted = buffers[buffer];
      const int num = Accept(philox, std::min(draw.count - done, kBuffer), &draw.position, accepted,
                             unfinished);
      unfinished.All();
      // The first of these that is used.
      const int first = draw.every == 2 ? (draw.first + done) % 2 : 0;
      unfinished.x = accepted.x + first;
      unfinished.w = accepted.w + first;
      unfinished.every_second = draw.every == 2;
      unfinished.left = draw.every == 2 ? (num - first + 1) / 2 : num;
      unfinished.out = out;
      out += unfinished.left;
      done += num;
      buffer ^= 1;
    }
  }
  unfinished.All();
}

}  // namespace livnd::sim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace livnd::sim {

HWY_EXPORT(DrawNormals);

void DrawNormals(NoiseDraw* draws, int num_draws) {
  HWY_DYNAMIC_DISPATCH(DrawNormals)(draws, num_draws);
}

}  // namespace livnd::sim
#endif  // HWY_ONCE
