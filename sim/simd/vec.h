// The small vector type that every kernel of sim/ is written in: a few f64 lanes, one cell a lane.
//
// Numeric contract (docs/decisions/0002-numeric-contract.md): each operation is IEEE 754 per lane,
// a multiply-add is fused only where Fma is written, and nothing reduces across lanes. A lane's
// bits therefore do not depend on the width of the register, on its neighbours or on its position.
#ifndef LIVND_SIM_SIMD_VEC_H_
#define LIVND_SIM_SIMD_VEC_H_

#include <cstdint>

#include "hwy/highway.h"
#include "sim/simd/tile_lanes.h"

namespace livnd::sim {

namespace simd {

namespace hn = hwy::HWY_NAMESPACE;

using F64Tag = hn::CappedTag<double, kTileLanes>;
using U64Tag = hn::Rebind<uint64_t, F64Tag>;

static_assert(hn::MaxLanes(F64Tag()) >= 4, "compile with the options of sim/simd/copts.bzl");

// Lanes of one vector: 8 with AVX-512, 4 with AVX2. A tile is kTileLanes / kLanes vectors.
inline constexpr int kLanes = static_cast<int>(hn::MaxLanes(F64Tag()));

struct Vec {
  hn::Vec<F64Tag> v;
};
struct Mask {
  hn::Mask<F64Tag> m;
};

inline Vec Load(const double* p) { return {hn::LoadU(F64Tag(), p)}; }
inline void Store(Vec a, double* p) { hn::StoreU(a.v, F64Tag(), p); }
inline Vec Set(double x) { return {hn::Set(F64Tag(), x)}; }

inline Vec operator+(Vec a, Vec b) { return {hn::Add(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {hn::Sub(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {hn::Mul(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {hn::Div(a.v, b.v)}; }
inline Vec operator-(Vec a) { return {hn::Neg(a.v)}; }
inline Vec operator+(Vec a, double b) { return a + Set(b); }
inline Vec operator-(Vec a, double b) { return a - Set(b); }
inline Vec operator*(Vec a, double b) { return a * Set(b); }
inline Vec operator+(double a, Vec b) { return Set(a) + b; }
inline Vec operator-(double a, Vec b) { return Set(a) - b; }
inline Vec operator*(double a, Vec b) { return Set(a) * b; }
inline Vec operator/(double a, Vec b) { return Set(a) / b; }

// a * b + c with one rounding.
inline Vec Fma(Vec a, Vec b, Vec c) { return {hn::MulAdd(a.v, b.v, c.v)}; }
// c - a * b with one rounding.
inline Vec NegFma(Vec a, Vec b, Vec c) { return {hn::NegMulAdd(a.v, b.v, c.v)}; }
inline Vec Max(Vec a, Vec b) { return {hn::Max(a.v, b.v)}; }
inline Vec Min(Vec a, Vec b) { return {hn::Min(a.v, b.v)}; }
inline Vec Abs(Vec a) { return {hn::Abs(a.v)}; }
inline Vec Sqrt(Vec a) { return {hn::Sqrt(a.v)}; }

inline Mask operator<(Vec a, Vec b) { return {hn::Lt(a.v, b.v)}; }
inline Mask operator>(Vec a, Vec b) { return {hn::Gt(a.v, b.v)}; }
inline Mask operator<=(Vec a, Vec b) { return {hn::Le(a.v, b.v)}; }
inline Mask operator&(Mask a, Mask b) { return {hn::And(a.m, b.m)}; }
// yes where the mask is set, else no.
inline Vec Select(Mask m, Vec yes, Vec no) { return {hn::IfThenElse(m.m, yes.v, no.v)}; }
inline bool AllTrue(Mask m) { return hn::AllTrue(F64Tag(), m.m); }
// One bit a lane, lane 0 lowest.
inline uint32_t Bits(Mask m) {
  uint8_t bytes[8] = {0};
  hn::StoreMaskBits(F64Tag(), m.m, bytes);
  return bytes[0];
}

}  // namespace simd
}  // namespace livnd::sim

#endif  // LIVND_SIM_SIMD_VEC_H_
