// exp and log for the state path: inline vector code, within 2 ulp (math_test.cc), the same bits on
// every host. libm is never called where state is computed.
#if defined(LIVND_SIM_SIMD_MATH_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LIVND_SIM_SIMD_MATH_H_
#undef LIVND_SIM_SIMD_MATH_H_
#else
#define LIVND_SIM_SIMD_MATH_H_
#endif

#include <cstdint>

#include "sim/simd/vec.h"

HWY_BEFORE_NAMESPACE();
namespace livnd::sim::simd {
namespace HWY_NAMESPACE {

// e^x. x is clamped to [-708, 709], so the result is always finite and normal; NaN stays NaN.
//
// Cody-Waite reduction x = n ln2 + r, |r| <= ln2 / 2; Taylor polynomial of degree 13 in r (its
// remainder is below 1e-17); 2^n through the exponent bits.
HWY_INLINE Vec Exp(Vec x) {
  const Vec kMagic = Set(6755399441055744.0);  // 1.5 * 2^52: adding it rounds to an integer
  // vmaxpd and vminpd give their second operand if one is NaN.
  x = Min(Set(709.0), Max(Set(-708.0), x));
  const Vec shifted = Fma(x, Set(1.4426950408889634), kMagic);
  const Vec n = shifted - kMagic;
  Vec r = NegFma(n, Set(0x1.62e42fefa0000p-1), x);  // high part of ln 2
  r = NegFma(n, Set(0x1.cf79abc9e3b3ap-40), r);     // low part
  const Vec r2 = r * r;
  const Vec r4 = r2 * r2;
  const Vec r8 = r4 * r4;
  // q(r) = sum over k = 2..13 of r^(k-2) / k!, by pairs.
  const Vec q01 = Fma(r, Set(1.0 / 6.0), Set(0.5));
  const Vec q23 = Fma(r, Set(1.0 / 120.0), Set(1.0 / 24.0));
  const Vec q45 = Fma(r, Set(1.0 / 5040.0), Set(1.0 / 720.0));
  const Vec q67 = Fma(r, Set(1.0 / 362880.0), Set(1.0 / 40320.0));
  const Vec q89 = Fma(r, Set(1.0 / 39916800.0), Set(1.0 / 3628800.0));
  const Vec qab = Fma(r, Set(1.0 / 6227020800.0), Set(1.0 / 479001600.0));
  const Vec q03 = Fma(r2, q23, q01);
  const Vec q47 = Fma(r2, q67, q45);
  const Vec q8b = Fma(r2, qab, q89);
  const Vec q = Fma(r8, q8b, Fma(r4, q47, q03));
  const Vec p = Fma(r2, q, r);
  // The low bits of `shifted` are n; moved into the exponent they make 2^n.
  const Vec scale = FromBits(ShiftLeft<52>(BitsOf(shifted)) + SetWords(0x3FF0000000000000));
  return Fma(scale, p, scale);
}

// ln((1 + s) / (1 - s)) = 2 atanh s = 2 s + s z (2/3 + 2/5 z + ...), z = s^2: what is in brackets by
// the polynomial of FreeBSD's e_log.c, whose error is below 2^-58 for z up to 0.0295. Highest power
// first.
inline constexpr int kAtanhTerms = 7;
inline constexpr double kAtanhTail[kAtanhTerms] = {
    1.479819860510658591e-01, 1.531383769920937332e-01, 1.818357216161805012e-01,
    2.222219843214978396e-01, 2.857142874366239149e-01, 3.999999999940941908e-01,
    6.666666666666735130e-01};
inline constexpr double kLn2 = 6.93147180559945286227e-01;

// ln x for normal positive x; other arguments give meaningless numbers.
//
// x = 2^k m with m in [sqrt(1/2), sqrt(2)), f = m - 1, s = f / (2 + f):
// ln(1 + f) = f - f^2/2 + s (f^2/2 + R(s^2)) with R the tail of the atanh series.
HWY_INLINE Vec Log(Vec x) {
  const Words bits = BitsOf(x);
  const Words above = bits - SetWords(0x3FE6A09E667F3BCD);  // bits of sqrt(1/2)
  const Words exponent = above & SetWords(0xFFF0000000000000);
  const Vec m = FromBits(bits - exponent);
  // k as a number: biased to be positive, then through the mantissa of 2^52.
  const Words biased = ShiftRight<52>(above + SetWords(0x3FF0000000000000));
  const Vec k = FromBits(biased | SetWords(0x4330000000000000)) - Set(4503599627370496.0 + 1023.0);
  const Vec f = m - Set(1.0);
  const Vec s = f / (Set(2.0) + f);
  const Vec z = s * s;
  Vec tail = Set(kAtanhTail[0]);
  for (int c = 1; c < kAtanhTerms; ++c) tail = Fma(tail, z, Set(kAtanhTail[c]));
  const Vec half_f2 = Set(0.5) * f * f;
  const Vec low = Fma(s, half_f2 + tail * z, k * Set(1.90821492927058770002e-10));
  return Fma(k, Set(6.93147180369123816490e-01), f - (half_f2 - low));
}

}  // namespace HWY_NAMESPACE
}  // namespace livnd::sim::simd
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
