// The membrane of the RCSD cells, a cell a lane: the functions of voltage and of the ion pools, as
// exact as the arithmetic of sim/simd.
//
// Equations: livn 2.0.0 models/rcsd/neuron/mechanisms (Nas, Kdr, CaN, CaL, KCa, Ka_v1in, Ca_conc,
// Na_conc, K_conc), after Booth, Rinzel and Kiehn (1997). Internal to sim/cell; everything that
// includes it is compiled with the options of sim/simd/copts.bzl.
#if defined(LIVND_SIM_CELL_RCSD_RCSD_MEMBRANE_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LIVND_SIM_CELL_RCSD_RCSD_MEMBRANE_H_
#undef LIVND_SIM_CELL_RCSD_RCSD_MEMBRANE_H_
#else
#define LIVND_SIM_CELL_RCSD_RCSD_MEMBRANE_H_
#endif

#include <array>

#include "sim/cell/rcsd/rcsd_constants.h"
#include "sim/cell/rcsd/rcsd_kernel.h"
#include "sim/cell/rcsd/rcsd_layout.h"
#include "sim/simd/math.h"
#include "sim/simd/vec.h"

HWY_BEFORE_NAMESPACE();
namespace livnd::sim::HWY_NAMESPACE::rcsd {

using namespace ::livnd::sim::rcsd;  // constants

using simd::Exp;
using simd::Fma;
using simd::Load;
using simd::Mask;
using simd::Max;
using simd::NegFma;
using simd::Set;
using simd::Store;
using simd::Vec;

// exp of constants that shift one exponential into another.
inline constexpr double kExp22Over15 = 4.334761826185209322;
inline constexpr double kExp3 = 20.08553692318766774;
inline constexpr double kExp30Over8 = 42.52108200006278306;

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

inline Vec SodiumReversal(Vec u) { return Reversal<3>(u, kNaOutMm, kNaInMm); }
inline Vec PotassiumReversal(Vec u) { return Reversal<-5>(u, kKOutMm, kKInMm); }

// m_inf of the sodium channel.
inline Vec SodiumActivation(Vec v, Vec v_half, Vec inverse_slope) {
  return 1.0 / (1.0 + Exp((v_half - v) * inverse_slope));
}
inline Vec Cube(Vec x) { return x * x * x; }

inline Vec Fourth(Vec x) {
  const Vec x2 = x * x;
  return x2 * x2;
}

// What a Goldman-Hodgkin-Katz drive needs of the voltage: P(V) = V / (exp(V / f) - 1) and its secant
// Q(V) = (P(V + d) - P(V)) / d with d = kSecantMv. The drive is -(1 - c/c_out) P + (c/c_out) V, its
// secant -(1 - c/c_out) Q + c/c_out.
struct GhkFunctions {
  Vec p, q;
};
inline GhkFunctions GhkAt(Vec v, double f) {
  const Vec z = v * (1.0 / f);
  const double d = kSecantMv;
  // Far from 0: both quotients over a common denominator; exp(d / f) - 1 by its series.
  const double h = d / f;
  const double grown = h * (1.0 + h * (0.5 + h * (1.0 / 6.0)));
  const Vec e = Exp(z);
  const Vec e1 = e - 1.0;
  const Vec e2 = Fma(e, Set(grown), e1);
  const Vec p_far = v / e1;
  const Vec q_far = (e1 - v * e * (grown / d)) / (e1 * e2);
  // Near 0: P / f = 1 - z/2 + z^2/12 - z^4/720 + ..., Q from its first three derivatives.
  const Vec z2 = z * z;
  Vec even = Set(-691.0 / 1307674368000.0);
  even = Fma(even, z2, Set(1.0 / 47900160.0));
  even = Fma(even, z2, Set(-1.0 / 1209600.0));
  even = Fma(even, z2, Set(1.0 / 30240.0));
  even = Fma(even, z2, Set(-1.0 / 720.0));
  even = Fma(even, z2, Set(1.0 / 12.0));
  const Vec p_near = f * (Fma(even, z2, Set(1.0)) - 0.5 * z);
  Vec first = Set(-691.0 * 12.0 / 1307674368000.0);
  first = Fma(first, z2, Set(10.0 / 47900160.0));
  first = Fma(first, z2, Set(-8.0 / 1209600.0));
  first = Fma(first, z2, Set(6.0 / 30240.0));
  first = Fma(first, z2, Set(-4.0 / 720.0));
  first = Fma(first, z2, Set(1.0 / 6.0));
  Vec second = Set(90.0 / 47900160.0);
  second = Fma(second, z2, Set(-56.0 / 1209600.0));
  second = Fma(second, z2, Set(30.0 / 30240.0));
  second = Fma(second, z2, Set(-12.0 / 720.0));
  second = Fma(second, z2, Set(1.0 / 6.0));
  const Vec third =
      z * Fma(Fma(Set(-336.0 / 1209600.0), z2, Set(120.0 / 30240.0)), z2, Set(-24.0 / 720.0));
  const Vec q_near = Fma(first, z, Set(-0.5)) + second * (0.5 * h) + third * (h * h / 6.0);
  const Mask near = simd::Abs(z) < Set(0.5);
  return {simd::Select(near, p_near, p_far), simd::Select(near, q_near, q_far)};
}

// Adds a calcium current of conductance g to the sums, given P and Q at v; inside = c / c_out.
HWY_INLINE void AddCalcium(Vec g, Vec v, Vec inside, Vec p, Vec q, Vec& current, Vec& slope) {
  current = Fma(g, Fma(inside, v, -((1.0 - inside) * p)), current);
  slope = Fma(g, NegFma(1.0 - inside, q, inside), slope);
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

// B(V).
inline Vec MagnesiumBlockAt(const MagnesiumBlock& b, Vec v) {
  return 1.0 / Fma(Exp((v + b.vshift_mv) * -b.gamma_per_mv), Set(b.mg_over_kd), Set(1.0));
}

// The parts of RcsdTables' rows.
using Functions = std::array<Vec, 4>;
inline Functions SpikingFunctions(const StepConstants& k, Vec v) {
  const SodiumPotassiumGates g = SodiumPotassiumSteady(k, v);
  const Vec h_kept = Exp(-g.h_rate);
  const Vec n_kept = Exp(-g.n_rate);
  return {SodiumActivation(v, Set(kVHalfMv), Set(1.0 / kSlopeMv)), h_kept, (1.0 - h_kept) * g.h_inf,
          (1.0 - n_kept) * g.n_inf};
}
inline Vec PotassiumKept(const StepConstants& k, Vec v) {
  return Exp(-SodiumPotassiumSteady(k, v).n_rate);
}
inline Functions SomaSlowFunctions(const StepConstants& k, const MagnesiumBlock& block, Vec v) {
  const CanGates can = CanSteady(v);
  return {PotassiumKept(k, v), can.m_inf * k.can_m, can.h_inf * k.can_h,
          MagnesiumBlockAt(block, v)};
}
inline Functions SomaCalciumFunctions(const StepConstants& k, Vec v) {
  const GhkFunctions n = GhkAt(v, kGhkCanMv);
  const KaGates ka = KaSteady(v);
  return {n.p, n.q, ka.a_inf * k.ka_a, ka.b_inf * k.ka_b};
}
inline Functions DendSlowFunctions(const StepConstants& k, const MagnesiumBlock& block, Vec v) {
  const CanGates can = CanSteady(v);
  return {MagnesiumBlockAt(block, v), can.m_inf * k.can_m, can.h_inf * k.can_h,
          CalSteady(v) * k.cal_m};
}
inline Functions DendCalciumFunctions(Vec v) {
  const GhkFunctions n = GhkAt(v, kGhkCanMv);
  const GhkFunctions l = GhkAt(v, kGhkCalMv);
  return {n.p, n.q, l.p, l.q};
}

inline Vec Relax(Vec y, Vec limit, Vec fraction) { return Fma(fraction, limit - y, y); }
inline Vec Relax(Vec y, Vec limit, double fraction) { return Relax(y, limit, Set(fraction)); }

// A compartment's own variables around one block of state and one of parameters.
struct Block {
  const double* p;
  double* s;
  Vec P(int i) const { return Load(p + i * kTileLanes); }
  Vec S(int i) const { return Load(s + i * kTileLanes); }
  void Put(int i, Vec x) const { Store(x, s + i * kTileLanes); }
};

// A reversal potential from a pool's own concentrations at rest, mM.
inline Vec OwnReversal(Vec u, Vec out, Vec in) {
  return kRtOverFMv * simd::Log((out + u) / (in - u));
}

// Net outward current density (mA/cm2) and its secant slope (S/cm2), whole and by ion. Sodium's and
// potassium's are their slope times the distance from the reversal potential.
struct Currents {
  Vec total, slope;
  Vec na_slope, k_slope, ca, ca_slope;
};

// Leak and pin added to the ions' sums.
template <class P>
HWY_INLINE void AddPassive(Currents& c, const Block& b, Vec v) {
  const Vec g = b.P(P::kGPas);
  c.total = c.total + Fma(g, v - b.P(P::kEPas), b.P(P::kPin));
  c.slope = c.slope + g;
}

// m3: the cube of m_inf of Nas at v.
HWY_INLINE Currents AxonCurrents(const Block& b, Vec v, Vec m3, Vec e_na, Vec e_k) {
  using S = AxonState;
  using P = AxonParam;
  Currents c;
  c.na_slope = b.P(P::kGNas) * m3 * b.S(S::kH);
  c.k_slope = b.P(P::kGKdr) * Fourth(b.S(S::kN));
  c.total = c.na_slope * (v - e_na) + c.k_slope * (v - e_k);
  c.slope = c.na_slope + c.k_slope;
  AddPassive<P>(c, b, v);
  return c;
}

// can: P and Q of CaN at v.
template <bool kHasKa>
HWY_INLINE Currents SomaCurrents(const Block& b, Vec v, Vec m3, GhkFunctions can, Vec e_na,
                                 Vec e_k) {
  using S = SomaState;
  using P = SomaParam;
  Currents c;
  c.na_slope = b.P(P::kGNas) * m3 * b.S(S::kH);
  const Vec cai = b.S(S::kCai);
  c.k_slope = Fma(b.P(P::kGKdr), Fourth(b.S(S::kN)), b.P(P::kGKca) * (cai / (cai + kKcaHalfMm)));
  if constexpr (kHasKa) c.k_slope = Fma(b.P(P::kGKa) * b.S(S::kAKa), b.S(S::kBKa), c.k_slope);
  const Vec m_can = b.S(S::kMCan);
  c.ca = c.ca_slope = Set(0.0);
  AddCalcium(b.P(P::kGCan) * m_can * m_can * b.S(S::kHCan), v, cai * (1.0 / kCaOutMm), can.p, can.q,
             c.ca, c.ca_slope);
  c.total = c.na_slope * (v - e_na) + c.k_slope * (v - e_k) + c.ca;
  c.slope = c.na_slope + c.k_slope + c.ca_slope;
  AddPassive<P>(c, b, v);
  return c;
}

HWY_INLINE Currents DendCurrents(const Block& b, Vec v, GhkFunctions can, GhkFunctions cal,
                                 Vec e_k) {
  using S = DendState;
  using P = DendParam;
  Currents c;
  const Vec cai = b.S(S::kCai);
  c.k_slope = b.P(P::kGKca) * (cai / (cai + kKcaHalfMm));
  const Vec m_can = b.S(S::kMCan);
  const Vec inside = cai * (1.0 / kCaOutMm);
  c.ca = c.ca_slope = Set(0.0);
  AddCalcium(b.P(P::kGCan) * m_can * m_can * b.S(S::kHCan), v, inside, can.p, can.q, c.ca,
             c.ca_slope);
  AddCalcium(b.P(P::kGCal) * b.S(S::kMCal), v, inside, cal.p, cal.q, c.ca, c.ca_slope);
  c.total = c.k_slope * (v - e_k) + c.ca;
  c.slope = c.k_slope + c.ca_slope;
  AddPassive<P>(c, b, v);
  return c;
}

}  // namespace livnd::sim::HWY_NAMESPACE::rcsd
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
