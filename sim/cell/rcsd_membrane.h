// The membrane of the RCSD cells, a cell a lane: currents with their secant slopes, gates, ion
// pools.
//
// Equations: livn 2.0.0 models/rcsd/neuron/mechanisms (Nas, Kdr, CaN, CaL, KCa, Ka_v1in, Ca_conc,
// Na_conc, K_conc), after Booth, Rinzel and Kiehn (1997). Internal to sim/cell; everything that
// includes it is compiled with the options of sim/simd/copts.bzl.
#ifndef LIVND_SIM_CELL_RCSD_MEMBRANE_H_
#define LIVND_SIM_CELL_RCSD_MEMBRANE_H_

#include "sim/cell/rcsd_constants.h"
#include "sim/cell/rcsd_kernel.h"
#include "sim/cell/rcsd_layout.h"
#include "sim/simd/math.h"
#include "sim/simd/vec.h"

namespace livnd::sim::rcsd {

using simd::Exp;
using simd::Fma;
using simd::Load;
using simd::Max;
using simd::Set;
using simd::Store;
using simd::Vec;

// exp of constants that shift one exponential into another.
inline constexpr double kExp22Over15 = 4.334761826185209322;
inline constexpr double kExp3 = 20.08553692318766774;
inline constexpr double kExp30Over8 = 42.52108200006278306;

// Net outward current density (mA/cm2) and its secant slope (S/cm2), whole and by ion.
struct Currents {
  Vec total, slope;
  Vec na, na_slope, k, k_slope, ca, ca_slope;
};

// Nernst potential RT/F ln(out / in) in mV after `u` mM have left the cell.
//
// Both concentrations stay near their rest, so out is first brought near in by the exact factor
// `scale` = 2^-kLog2: ln(out / in) = kLog2 ln 2 + 2 atanh s, s = (out scale - in) / (out scale +
// in). |s| stays below 0.11 in living cells (1e-16 of the series is lost) and is bounded by 1.
template <int kLog2>
inline Vec Reversal(Vec u, double out_mm, double in_mm) {
  constexpr double kScale =
      kLog2 > 0 ? 1.0 / (1 << (kLog2 > 0 ? kLog2 : 0)) : 1.0 * (1 << (kLog2 < 0 ? -kLog2 : 0));
  const Vec out = Fma(u, Set(kScale), Set(out_mm * kScale));
  const Vec in = in_mm - u;
  const Vec s = (out - in) / (out + in);
  const Vec z = s * s;
  Vec series = Set(2.0 / 19.0);
  series = Fma(series, z, Set(2.0 / 17.0));
  series = Fma(series, z, Set(2.0 / 15.0));
  series = Fma(series, z, Set(2.0 / 13.0));
  series = Fma(series, z, Set(2.0 / 11.0));
  series = Fma(series, z, Set(2.0 / 9.0));
  series = Fma(series, z, Set(2.0 / 7.0));
  series = Fma(series, z, Set(2.0 / 5.0));
  series = Fma(series, z, Set(2.0 / 3.0));
  const Vec log = Fma(s * z, series, s + s);
  constexpr double kLn2 = 0.6931471805599453094;
  return Fma(Set(kRtOverFMv), log, Set(kRtOverFMv * kLog2 * kLn2));
}

// m_inf^3 of the sodium channel.
inline Vec SodiumActivation(Vec v, Vec v_half, Vec inverse_slope) {
  const Vec m = 1.0 / (1.0 + Exp((v_half - v) * inverse_slope));
  return m * m * m;
}

inline Vec Fourth(Vec x) {
  const Vec x2 = x * x;
  return x2 * x2;
}

// Goldman-Hodgkin-Katz driving force at v, given e = exp(v / f).
inline Vec Ghk(Vec v, Vec e, Vec cai, double f) {
  const Vec z = v * (1.0 / f);
  const Vec small = 1.0 - 0.5 * z;
  const Vec ratio = simd::Select(simd::Abs(z) < Set(1e-4), small, z / (e - 1.0));
  return -f * (1.0 - cai * (1.0 / kCaOutMm) * e) * ratio;
}

// Adds a calcium current of conductance g to the three sums.
inline void AddCalcium(Currents& c, Vec g, Vec v, Vec e, Vec cai, double f, double secant) {
  const Vec at_v = g * Ghk(v, e, cai, f);
  const Vec beside = g * Ghk(v + kSecantMv, e * secant, cai, f);
  c.ca = c.ca + at_v;
  c.ca_slope = c.ca_slope + (beside - at_v) * (1.0 / kSecantMv);
}

// Where a compartment's potassium pool lies among its parameters.
template <class P>
inline constexpr int kPotassiumPool = P::kSize + PoolParam::kSize;
template <>
inline constexpr int kPotassiumPool<DendParam> = DendParam::kSize;

// A compartment's own variables around one block of state and one of parameters.
struct Block {
  const double* p;
  double* s;
  Vec P(int i) const { return Load(p + i * kTileLanes); }
  Vec S(int i) const { return Load(s + i * kTileLanes); }
  void Put(int i, Vec x) const { Store(x, s + i * kTileLanes); }
};

// Reversal potentials of a compartment with states S and parameters P. kOwnPools: the cell's own
// concentrations at rest, P::kSize parameters into the block.
template <class S, class P, bool kOwnPools>
inline Vec SodiumReversal(const Block& b) {
  const Vec u = b.S(S::kUNa);
  if constexpr (!kOwnPools) return Reversal<3>(u, kNaOutMm, kNaInMm);
  return kRtOverFMv *
         simd::Log((b.P(P::kSize + PoolParam::kOut) + u) / (b.P(P::kSize + PoolParam::kIn) - u));
}
template <class S, class P, bool kOwnPools>
inline Vec PotassiumReversal(const Block& b) {
  const Vec u = b.S(S::kUK);
  if constexpr (!kOwnPools) return Reversal<-5>(u, kKOutMm, kKInMm);
  constexpr int kPool = kPotassiumPool<P>;
  return kRtOverFMv *
         simd::Log((b.P(kPool + PoolParam::kOut) + u) / (b.P(kPool + PoolParam::kIn) - u));
}

template <class P>
inline void AddPassive(Currents& c, const Block& b, Vec v) {
  const Vec g = b.P(P::kGPas);
  c.total = c.total + g * (v - b.P(P::kEPas)) + b.P(P::kPin);
  c.slope = c.slope + g;
}

template <bool kOwnPools>
inline Currents AxonCurrents(const Block& b, Vec v) {
  using S = AxonState;
  using P = AxonParam;
  Currents c;
  c.na_slope =
      b.P(P::kGNas) * SodiumActivation(v, b.P(P::kVHalf), b.P(P::kInverseSlope)) * b.S(S::kH);
  c.na = c.na_slope * (v - SodiumReversal<S, P, kOwnPools>(b));
  c.k_slope = b.P(P::kGKdr) * Fourth(b.S(S::kN));
  c.k = c.k_slope * (v - PotassiumReversal<S, P, kOwnPools>(b));
  c.total = c.na + c.k;
  c.slope = c.na_slope + c.k_slope;
  AddPassive<P>(c, b, v);
  return c;
}

template <bool kHasKa, bool kOwnPools>
inline Currents SomaCurrents(const StepConstants& k, const Block& b, Vec v) {
  using S = SomaState;
  using P = SomaParam;
  Currents c;
  c.na_slope =
      b.P(P::kGNas) * SodiumActivation(v, b.P(P::kVHalf), b.P(P::kInverseSlope)) * b.S(S::kH);
  c.na = c.na_slope * (v - SodiumReversal<S, P, kOwnPools>(b));
  const Vec cai = b.S(S::kCai);
  c.k_slope = b.P(P::kGKdr) * Fourth(b.S(S::kN)) + b.P(P::kGKca) * (cai / (cai + kKcaHalfMm));
  if constexpr (kHasKa) c.k_slope = c.k_slope + b.P(P::kGKa) * b.S(S::kAKa) * b.S(S::kBKa);
  c.k = c.k_slope * (v - PotassiumReversal<S, P, kOwnPools>(b));
  c.ca = c.ca_slope = Set(0.0);
  const Vec m = b.S(S::kMCan);
  AddCalcium(c, b.P(P::kGCan) * m * m * b.S(S::kHCan), v, Exp(v * (1.0 / kGhkCanMv)), cai,
             kGhkCanMv, k.can_secant);
  c.total = c.na + c.k + c.ca;
  c.slope = c.na_slope + c.k_slope + c.ca_slope;
  AddPassive<P>(c, b, v);
  return c;
}

template <bool kOwnPools>
inline Currents DendCurrents(const StepConstants& k, const Block& b, Vec v) {
  using S = DendState;
  using P = DendParam;
  Currents c;
  const Vec cai = b.S(S::kCai);
  c.k_slope = b.P(P::kGKca) * (cai / (cai + kKcaHalfMm));
  c.k = c.k_slope * (v - PotassiumReversal<S, P, kOwnPools>(b));
  c.ca = c.ca_slope = Set(0.0);
  const Vec m = b.S(S::kMCan);
  AddCalcium(c, b.P(P::kGCan) * m * m * b.S(S::kHCan), v, Exp(v * (1.0 / kGhkCanMv)), cai,
             kGhkCanMv, k.can_secant);
  AddCalcium(c, b.P(P::kGCal) * b.S(S::kMCal), v, Exp(v * (1.0 / kGhkCalMv)), cai, kGhkCalMv,
             k.cal_secant);
  c.na = c.na_slope = Set(0.0);
  c.total = c.k + c.ca;
  c.slope = c.k_slope + c.ca_slope;
  AddPassive<P>(c, b, v);
  return c;
}

// Steady states and rates at v, shared by the first moment and every step.
struct SodiumPotassiumGates {
  Vec h_inf, h_rate;  // rate = dt / tau
  Vec n_inf, n_rate;
};
inline SodiumPotassiumGates SodiumPotassiumSteady(const StepConstants& k, Vec v) {
  // exp((v + 50) / 15) and exp(-(v + 50) / 16) from the 240th part of the exponent.
  const Vec x = Exp((v + 50.0) * (1.0 / 240.0));
  const Vec x2 = x * x, x4 = x2 * x2, x8 = x4 * x4;
  const Vec e15 = x8 * x8;
  // exp((v + 40) / 40) and exp(-(v + 40) / 50) from the 200th part.
  const Vec y = Exp((v + 40.0) * (1.0 / 200.0));
  const Vec y2 = y * y, y4 = y2 * y2;
  // Two quotients for one division each: 1/a = b / (a b), 1/b = a / (a b).
  const Vec inverse = 1.0 / (e15 * y4);
  SodiumPotassiumGates g;
  g.h_rate = k.na_rate * Fma(x * y4, inverse, e15);
  g.n_rate = k.kdr_rate * Fma(e15, inverse, y4 * y);
  const Vec h_part = 1.0 + Exp((v + 55.0) * (1.0 / 7.0));
  const Vec n_part = e15 + kExp22Over15;
  const Vec inverse_parts = 1.0 / (h_part * n_part);
  g.h_inf = n_part * inverse_parts;
  g.n_inf = e15 * h_part * inverse_parts;
  return g;
}
struct CanGates {
  Vec m_inf, h_inf;
};
inline CanGates CanSteady(Vec v) {
  const Vec e5 = Exp((v + 30.0) * (1.0 / 5.0));
  return {e5 / (1.0 + e5), 1.0 / Fma(e5, Set(kExp3), Set(1.0))};
}
inline Vec CalSteady(Vec v) { return 1.0 / (1.0 + Exp((v + 40.0) * (-1.0 / 7.0))); }
struct KaGates {
  Vec a_inf, b_inf;
};
inline KaGates KaSteady(Vec v) {
  const Vec e8 = Exp((v + 36.0) * (1.0 / 8.0));
  return {e8 / (1.0 + e8), 1.0 / Fma(e8, Set(kExp30Over8), Set(1.0))};
}

inline Vec Relax(Vec y, Vec limit, Vec fraction) { return Fma(fraction, limit - y, y); }
inline Vec Relax(Vec y, Vec limit, double fraction) { return Relax(y, limit, Set(fraction)); }

template <class S>
inline void UpdateSodiumPotassium(const StepConstants& k, const Block& b, Vec v) {
  const SodiumPotassiumGates g = SodiumPotassiumSteady(k, v);
  b.Put(S::kH, Relax(b.S(S::kH), g.h_inf, 1.0 - Exp(-g.h_rate)));
  b.Put(S::kN, Relax(b.S(S::kN), g.n_inf, 1.0 - Exp(-g.n_rate)));
}

// Potassium and sodium shells; `current` is the ion's current at the half step, `pool` where the
// cell's own constants lie.
template <bool kOwnPools>
inline void UpdatePool(const StepConstants& k, const Block& b, int u, int pool, Vec current) {
  if constexpr (kOwnPools) {
    b.Put(u,
          Relax(b.S(u), current * b.P(pool + PoolParam::kDrive), b.P(pool + PoolParam::kFraction)));
  } else {
    b.Put(u, Relax(b.S(u), current * k.pool_drive, k.pool));
  }
}
template <class S, class P, bool kOwnPools>
inline void UpdateSodium(const StepConstants& k, const Block& b, Vec current) {
  UpdatePool<kOwnPools>(k, b, S::kUNa, P::kSize, current);
}
template <class S, class P, bool kOwnPools>
inline void UpdatePotassium(const StepConstants& k, const Block& b, Vec current) {
  UpdatePool<kOwnPools>(k, b, S::kUK, kPotassiumPool<P>, current);
}

template <class S, class P>
inline void UpdateCalcium(const StepConstants& k, const Block& b, Vec v, Vec current) {
  const CanGates can = CanSteady(v);
  b.Put(S::kMCan, Relax(b.S(S::kMCan), can.m_inf, k.can_m));
  b.Put(S::kHCan, Relax(b.S(S::kHCan), can.h_inf, k.can_h));
  const Vec drive = Max(Set(0.0), b.P(P::kAlpha) * (b.P(P::kIRest) - current));
  const Vec limit = kCaInMm + drive / b.P(P::kKCa);
  b.Put(S::kCai, Relax(b.S(S::kCai), limit, b.P(P::kCaDecay)));
}

}  // namespace livnd::sim::rcsd

#endif  // LIVND_SIM_CELL_RCSD_MEMBRANE_H_
