// The small vector type that every kernel of sim/ is written in: a few f64 lanes, one cell a lane.
//
// Numeric contract (docs/decisions/0002-numeric-contract.md): each operation is IEEE 754 per lane,
// a multiply-add is fused only where Fma is written, and nothing reduces across lanes. A lane's
// bits therefore do not depend on the width of the register, on its neighbours or on its position.
//
// Compiled once for each instruction set, in the namespace that Highway gives it; see
// sim/simd/instruction_set.h. A source that uses it is laid out like this:
//
//   #undef HWY_TARGET_INCLUDE
//   #define HWY_TARGET_INCLUDE "sim/.../this_file.cc"
//   #include "hwy/foreach_target.h"
//   // after it, whatever else is included
//   #include "sim/simd/vec.h"
//   HWY_BEFORE_NAMESPACE();
//   namespace livnd::sim { namespace HWY_NAMESPACE { ... } }
//   HWY_AFTER_NAMESPACE();
//   #if HWY_ONCE
//   ... HWY_EXPORT(Function); HWY_DYNAMIC_DISPATCH(Function)(...) ...
//   #endif
#if defined(LIVND_SIM_SIMD_VEC_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LIVND_SIM_SIMD_VEC_H_
#undef LIVND_SIM_SIMD_VEC_H_
#else
#define LIVND_SIM_SIMD_VEC_H_
#endif

#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "sim/simd/tile_lanes.h"

HWY_BEFORE_NAMESPACE();
namespace livnd::sim::simd {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

// Hosts below AVX2: one lane, in whatever the compiler knows without asking. A fused multiply-add is
// the C library's, which is exact on every host.
inline constexpr int kLanes = 1;

struct Vec {
  double v;
};
struct Mask {
  bool m;
};
struct Words {  // 64 bits a lane
  uint64_t v;
};

HWY_INLINE Vec Load(const double* p) { return {*p}; }
HWY_INLINE void Store(Vec a, double* p) { *p = a.v; }
HWY_INLINE Vec Set(double x) { return {x}; }

HWY_INLINE Vec operator+(Vec a, Vec b) { return {a.v + b.v}; }
HWY_INLINE Vec operator-(Vec a, Vec b) { return {a.v - b.v}; }
HWY_INLINE Vec operator*(Vec a, Vec b) { return {a.v * b.v}; }
HWY_INLINE Vec operator/(Vec a, Vec b) { return {a.v / b.v}; }
HWY_INLINE Vec operator-(Vec a) { return {-a.v}; }
HWY_INLINE Vec Fma(Vec a, Vec b, Vec c) { return {__builtin_fma(a.v, b.v, c.v)}; }
HWY_INLINE Vec NegFma(Vec a, Vec b, Vec c) { return {__builtin_fma(-a.v, b.v, c.v)}; }
HWY_INLINE Vec FmaMinus(Vec a, Vec b, Vec c) { return {__builtin_fma(a.v, b.v, -c.v)}; }
HWY_INLINE Vec NegFmaMinus(Vec a, Vec b, Vec c) { return {__builtin_fma(-a.v, b.v, -c.v)}; }
// As maxpd and minpd: the second operand if one is NaN.
HWY_INLINE Vec Max(Vec a, Vec b) { return {a.v > b.v ? a.v : b.v}; }
HWY_INLINE Vec Min(Vec a, Vec b) { return {a.v < b.v ? a.v : b.v}; }
HWY_INLINE Vec Abs(Vec a) { return {__builtin_fabs(a.v)}; }
HWY_INLINE Vec Sqrt(Vec a) { return {__builtin_sqrt(a.v)}; }

HWY_INLINE Mask operator<(Vec a, Vec b) { return {a.v < b.v}; }
HWY_INLINE Mask operator>(Vec a, Vec b) { return {a.v > b.v}; }
HWY_INLINE Mask operator<=(Vec a, Vec b) { return {a.v <= b.v}; }
HWY_INLINE Mask operator&(Mask a, Mask b) { return {a.m && b.m}; }
HWY_INLINE Vec Select(Mask m, Vec yes, Vec no) { return m.m ? yes : no; }
HWY_INLINE bool AllTrue(Mask m) { return m.m; }
HWY_INLINE uint32_t Bits(Mask m) { return m.m ? 1u : 0u; }
HWY_INLINE int IndexOfBit(uint32_t bits, int n) {
  for (; n > 1; --n) bits &= bits - 1;
  return __builtin_ctz(bits);
}
HWY_INLINE Vec Compress(Vec a, Mask, uint32_t) { return a; }

HWY_INLINE Vec WithFirstLane(Vec, double x) { return {x}; }

HWY_INLINE Words SetWords(uint64_t x) { return {x}; }
HWY_INLINE Words LoadWords(const uint64_t* p) { return {*p}; }
HWY_INLINE Words CountedForInterleave(uint64_t first) { return {first}; }
HWY_INLINE Words BitsOf(Vec a) {
  Words bits;
  std::memcpy(&bits.v, &a.v, sizeof(bits.v));
  return bits;
}
HWY_INLINE Vec FromBits(Words a) {
  Vec x;
  std::memcpy(&x.v, &a.v, sizeof(x.v));
  return x;
}
HWY_INLINE Words operator+(Words a, Words b) { return {a.v + b.v}; }
HWY_INLINE Words operator-(Words a, Words b) { return {a.v - b.v}; }
HWY_INLINE Words operator&(Words a, Words b) { return {a.v & b.v}; }
HWY_INLINE Words operator|(Words a, Words b) { return {a.v | b.v}; }
HWY_INLINE Words operator^(Words a, Words b) { return {a.v ^ b.v}; }
template <int kBits>
HWY_INLINE Words ShiftLeft(Words a) {
  return {a.v << kBits};
}
template <int kBits>
HWY_INLINE Words ShiftRight(Words a) {
  return {a.v >> kBits};
}
HWY_INLINE Words MultiplyLow32(Words a, Words b) {
  return {(a.v & 0xFFFFFFFFu) * (b.v & 0xFFFFFFFFu)};
}
// As whatever takes 64 bits.
template <class T>
HWY_INLINE void StoreWords(Words a, T* p) {
  static_assert(sizeof(T) == sizeof(uint64_t));
  std::memcpy(p, &a.v, sizeof(a.v));
}
HWY_INLINE Words JoinHalves(Words low, Words high) {
  return {(low.v & 0xFFFFFFFFu) | (high.v & ~uint64_t{0xFFFFFFFFu})};
}
HWY_INLINE Vec InterleaveLow(Vec a, Vec) { return a; }
HWY_INLINE Vec InterleaveHigh(Vec, Vec b) { return b; }
HWY_INLINE Vec EvenOf(Vec a, Vec) { return a; }

#else  // AVX2, AVX-512

namespace hn = hwy::HWY_NAMESPACE;

using F64Tag = hn::CappedTag<double, kTileLanes>;
using U64Tag = hn::Rebind<uint64_t, F64Tag>;

// Lanes of one vector: 8 with AVX-512, 4 with AVX2. A tile is kTileLanes / kLanes vectors.
inline constexpr int kLanes = static_cast<int>(hn::MaxLanes(F64Tag()));

struct Vec {
  hn::Vec<F64Tag> v;
};
struct Mask {
  hn::Mask<F64Tag> m;
};
struct Words {  // 64 bits a lane
  hn::Vec<U64Tag> v;
};

HWY_INLINE Vec Load(const double* p) { return {hn::LoadU(F64Tag(), p)}; }
HWY_INLINE void Store(Vec a, double* p) { hn::StoreU(a.v, F64Tag(), p); }
HWY_INLINE Vec Set(double x) { return {hn::Set(F64Tag(), x)}; }

HWY_INLINE Vec operator+(Vec a, Vec b) { return {hn::Add(a.v, b.v)}; }
HWY_INLINE Vec operator-(Vec a, Vec b) { return {hn::Sub(a.v, b.v)}; }
HWY_INLINE Vec operator*(Vec a, Vec b) { return {hn::Mul(a.v, b.v)}; }
HWY_INLINE Vec operator/(Vec a, Vec b) { return {hn::Div(a.v, b.v)}; }
HWY_INLINE Vec operator-(Vec a) { return {hn::Neg(a.v)}; }
// a * b + c with one rounding.
HWY_INLINE Vec Fma(Vec a, Vec b, Vec c) { return {hn::MulAdd(a.v, b.v, c.v)}; }
// c - a * b with one rounding.
HWY_INLINE Vec NegFma(Vec a, Vec b, Vec c) { return {hn::NegMulAdd(a.v, b.v, c.v)}; }
// a * b - c and -(a * b) - c with one rounding.
HWY_INLINE Vec FmaMinus(Vec a, Vec b, Vec c) { return {hn::MulSub(a.v, b.v, c.v)}; }
HWY_INLINE Vec NegFmaMinus(Vec a, Vec b, Vec c) { return {hn::NegMulSub(a.v, b.v, c.v)}; }
// The second operand if one is NaN.
HWY_INLINE Vec Max(Vec a, Vec b) { return {hn::Max(a.v, b.v)}; }
HWY_INLINE Vec Min(Vec a, Vec b) { return {hn::Min(a.v, b.v)}; }
HWY_INLINE Vec Abs(Vec a) { return {hn::Abs(a.v)}; }
HWY_INLINE Vec Sqrt(Vec a) { return {hn::Sqrt(a.v)}; }

HWY_INLINE Mask operator<(Vec a, Vec b) { return {hn::Lt(a.v, b.v)}; }
HWY_INLINE Mask operator>(Vec a, Vec b) { return {hn::Gt(a.v, b.v)}; }
HWY_INLINE Mask operator<=(Vec a, Vec b) { return {hn::Le(a.v, b.v)}; }
HWY_INLINE Mask operator&(Mask a, Mask b) { return {hn::And(a.m, b.m)}; }
// yes where the mask is set, else no.
HWY_INLINE Vec Select(Mask m, Vec yes, Vec no) { return {hn::IfThenElse(m.m, yes.v, no.v)}; }
HWY_INLINE bool AllTrue(Mask m) { return hn::AllTrue(F64Tag(), m.m); }
// One bit a lane, lane 0 lowest.
HWY_INLINE uint32_t Bits(Mask m) {
#if HWY_TARGET == HWY_AVX2
  // Highway's own narrows it to a byte.
  return static_cast<uint32_t>(_mm256_movemask_pd(m.m.raw));
#else
  return m.m.raw;
#endif
}

// The index of the n-th bit that is set, from n = 1.
HWY_INLINE int IndexOfBit(uint32_t bits, int n) {
  return __builtin_ctz(_pdep_u32(1u << (n - 1), bits));
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
inline constexpr CompressTable kCompress;

// The lanes of the mask, in order, at the front; `bits` is the mask.
HWY_INLINE Vec Compress(Vec a, Mask mask, uint32_t bits) {
  if constexpr (kLanes == 4) {
    const hn::Repartition<uint32_t, F64Tag> d32;
    const auto indices = hn::IndicesFromVec(d32, hn::Load(d32, kCompress.halves[bits]));
    return {hn::BitCast(F64Tag(), hn::TableLookupLanes(hn::BitCast(d32, a.v), indices))};
  }
#if HWY_TARGET != HWY_AVX2
  // Highway's own goes through a table in memory.
  return {hn::Vec<F64Tag>{_mm512_maskz_compress_pd(mask.m.raw, a.v.raw)}};
#endif
}

HWY_INLINE Vec WithFirstLane(Vec a, double x) {
  return {hn::IfThenElse(hn::FirstN(F64Tag(), 1), hn::Set(F64Tag(), x), a.v)};
}

HWY_INLINE Words SetWords(uint64_t x) { return {hn::Set(U64Tag(), x)}; }
HWY_INLINE Words LoadWords(const uint64_t* p) { return {hn::LoadU(U64Tag(), p)}; }
// first, first + 1, ... in that order of lanes which InterleaveLow and InterleaveHigh bring back into
// sequence: 0 2 1 3 and 0 4 1 5 2 6 3 7.
HWY_INLINE Words CountedForInterleave(uint64_t first) {
  // Iota of a variable goes through memory; of a constant it is one.
  alignas(64) static constexpr uint64_t kCount[2][8] = {{0, 2, 1, 3}, {0, 4, 1, 5, 2, 6, 3, 7}};
  return {hn::Add(hn::Set(U64Tag(), first), hn::Load(U64Tag(), kCount[kLanes / 8]))};
}
HWY_INLINE Words BitsOf(Vec a) { return {hn::BitCast(U64Tag(), a.v)}; }
HWY_INLINE Vec FromBits(Words a) { return {hn::BitCast(F64Tag(), a.v)}; }
HWY_INLINE Words operator+(Words a, Words b) { return {hn::Add(a.v, b.v)}; }
HWY_INLINE Words operator-(Words a, Words b) { return {hn::Sub(a.v, b.v)}; }
HWY_INLINE Words operator&(Words a, Words b) { return {hn::And(a.v, b.v)}; }
HWY_INLINE Words operator|(Words a, Words b) { return {hn::Or(a.v, b.v)}; }
HWY_INLINE Words operator^(Words a, Words b) { return {hn::Xor(a.v, b.v)}; }
template <int kBits>
HWY_INLINE Words ShiftLeft(Words a) {
  return {hn::ShiftLeft<kBits>(a.v)};
}
template <int kBits>
HWY_INLINE Words ShiftRight(Words a) {
  return {hn::ShiftRight<kBits>(a.v)};
}
// 32 x 32 -> 64 bit products of the low halves.
HWY_INLINE Words MultiplyLow32(Words a, Words b) {
  const hn::Repartition<uint32_t, U64Tag> d32;
  return {hn::MulEven(hn::BitCast(d32, a.v), hn::BitCast(d32, b.v))};
}
// As whatever takes 64 bits.
template <class T>
HWY_INLINE void StoreWords(Words a, T* p) {
  static_assert(sizeof(T) == sizeof(uint64_t));
  std::memcpy(p, &a.v, sizeof(a.v));
}
// The low half of each word of the one and the high half of the other.
HWY_INLINE Words JoinHalves(Words low, Words high) {
  const hn::Repartition<uint32_t, U64Tag> d32;
  return {hn::BitCast(U64Tag(), hn::OddEven(hn::BitCast(d32, high.v), hn::BitCast(d32, low.v)))};
}
// a0 b0 a2 b2 ..., a1 b1 a3 b3 ...
HWY_INLINE Vec InterleaveLow(Vec a, Vec b) { return {hn::InterleaveLower(F64Tag(), a.v, b.v)}; }
HWY_INLINE Vec InterleaveHigh(Vec a, Vec b) { return {hn::InterleaveUpper(F64Tag(), a.v, b.v)}; }
// Every second lane of a, then of b.
HWY_INLINE Vec EvenOf(Vec a, Vec b) { return {hn::ConcatEven(F64Tag(), b.v, a.v)}; }

#endif

// The pointer, of which the compiler no longer knows where it points.
HWY_INLINE double* Afresh(double* p) {
  asm("" : "+r"(p));
  return p;
}

HWY_INLINE Vec operator+(Vec a, double b) { return a + Set(b); }
HWY_INLINE Vec operator-(Vec a, double b) { return a - Set(b); }
HWY_INLINE Vec operator*(Vec a, double b) { return a * Set(b); }
HWY_INLINE Vec operator+(double a, Vec b) { return Set(a) + b; }
HWY_INLINE Vec operator-(double a, Vec b) { return Set(a) - b; }
HWY_INLINE Vec operator*(double a, Vec b) { return Set(a) * b; }
HWY_INLINE Vec operator/(double a, Vec b) { return Set(a) / b; }

}  // namespace HWY_NAMESPACE
}  // namespace livnd::sim::simd
// Kernels live in livnd::sim::HWY_NAMESPACE; there `simd` is this instruction set's.
namespace livnd::sim::HWY_NAMESPACE {
namespace simd = ::livnd::sim::simd::HWY_NAMESPACE;
}
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
