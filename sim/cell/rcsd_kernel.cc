#include "sim/cell/rcsd_kernel.h"

#include <algorithm>
#include <array>

#include "sim/cell/rcsd_constants.h"
#include "sim/simd/math.h"
#include "sim/simd/vec.h"

namespace livnd::sim {
namespace {

using simd::Exp;
using simd::Fma;
using simd::Load;
using simd::Mask;
using simd::Max;
using simd::NegFma;
using simd::Set;
using simd::Store;
using simd::Vec;

constexpr int kNumAxon = RcsdShape::kNumAxon;

// exp of constants that shift one exponential into another.
constexpr double kExp22Over15 = 4.334761826185209322;
constexpr double kExp3 = 20.08553692318766774;
constexpr double kExp30Over8 = 42.52108200006278306;

// Fractions that a state moves towards its limit in one step, 1 - exp(-dt / tau).
struct StepConstants {
  double dt_ms;
  double pool;                    // ion pools
  double can_m, can_h;            // tau 4, 40 ms
  double cal_m;                   // tau 60 ms
  double ka_a, ka_b;              // tau 1, 15 ms
  double na_rate;                 // dt / 30
  double kdr_rate;                // dt / 7
  double pool_drive;              // mM per mA/cm2 at equilibrium
  double can_secant, cal_secant;  // exp(kSecantMv / f)
};

StepConstants MakeStepConstants(double dt_ms) {
  auto fraction = [&](double tau_ms) { return 1.0 - ScalarExp(-dt_ms / tau_ms); };
  StepConstants c;
  c.dt_ms = dt_ms;
  c.pool = 1.0 - ScalarExp(-dt_ms * rcsd::kPoolRatePerMs);
  c.can_m = fraction(4.0);
  c.can_h = fraction(40.0);
  c.cal_m = fraction(60.0);
  c.ka_a = fraction(1.0);
  c.ka_b = fraction(15.0);
  c.na_rate = dt_ms / 30.0;
  c.kdr_rate = dt_ms / 7.0;
  c.pool_drive = 1e4 / (2.0 * rcsd::kFaraday * rcsd::kShellDepthUm * rcsd::kPoolRatePerMs);
  c.can_secant = ScalarExp(rcsd::kSecantMv / rcsd::kGhkCanMv);
  c.cal_secant = ScalarExp(rcsd::kSecantMv / rcsd::kGhkCalMv);
  return c;
}

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
Vec Reversal(Vec u, double out_mm, double in_mm) {
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
  return Fma(Set(rcsd::kRtOverFMv), log, Set(rcsd::kRtOverFMv * kLog2 * kLn2));
}
Vec SodiumReversal(Vec u) { return Reversal<3>(u, rcsd::kNaOutMm, rcsd::kNaInMm); }
Vec PotassiumReversal(Vec u) { return Reversal<-5>(u, rcsd::kKOutMm, rcsd::kKInMm); }

// m_inf^3 of the sodium channel.
Vec SodiumActivation(Vec v, Vec v_half, Vec inverse_slope) {
  const Vec m = 1.0 / (1.0 + Exp((v_half - v) * inverse_slope));
  return m * m * m;
}

Vec Fourth(Vec x) {
  const Vec x2 = x * x;
  return x2 * x2;
}

// Goldman-Hodgkin-Katz driving force at v, given e = exp(v / f).
Vec Ghk(Vec v, Vec e, Vec cai, double f) {
  const Vec z = v * (1.0 / f);
  const Vec small = 1.0 - 0.5 * z;
  const Vec ratio = simd::Select(simd::Abs(z) < Set(1e-4), small, z / (e - 1.0));
  return -f * (1.0 - cai * (1.0 / rcsd::kCaOutMm) * e) * ratio;
}

// Adds a calcium current of conductance g to the three sums.
void AddCalcium(Currents& c, Vec g, Vec v, Vec e, Vec cai, double f, double secant) {
  const Vec at_v = g * Ghk(v, e, cai, f);
  const Vec beside = g * Ghk(v + rcsd::kSecantMv, e * secant, cai, f);
  c.ca = c.ca + at_v;
  c.ca_slope = c.ca_slope + (beside - at_v) * (1.0 / rcsd::kSecantMv);
}

// A compartment's own variables around one block of state and one of parameters.
struct Block {
  const double* p;
  double* s;
  Vec P(int i) const { return Load(p + i * kTileLanes); }
  Vec S(int i) const { return Load(s + i * kTileLanes); }
  void Put(int i, Vec x) const { Store(x, s + i * kTileLanes); }
};

template <class P>
void AddPassive(Currents& c, const Block& b, Vec v) {
  const Vec g = b.P(P::kGPas);
  c.total = c.total + g * (v - b.P(P::kEPas)) + b.P(P::kPin);
  c.slope = c.slope + g;
}

Currents AxonCurrents(const Block& b, Vec v) {
  using S = AxonState;
  using P = AxonParam;
  Currents c;
  c.na_slope =
      b.P(P::kGNas) * SodiumActivation(v, b.P(P::kVHalf), b.P(P::kInverseSlope)) * b.S(S::kH);
  c.na = c.na_slope * (v - SodiumReversal(b.S(S::kUNa)));
  c.k_slope = b.P(P::kGKdr) * Fourth(b.S(S::kN));
  c.k = c.k_slope * (v - PotassiumReversal(b.S(S::kUK)));
  c.total = c.na + c.k;
  c.slope = c.na_slope + c.k_slope;
  AddPassive<P>(c, b, v);
  return c;
}

template <bool kHasKa>
Currents SomaCurrents(const StepConstants& k, const Block& b, Vec v) {
  using S = SomaState;
  using P = SomaParam;
  Currents c;
  c.na_slope =
      b.P(P::kGNas) * SodiumActivation(v, b.P(P::kVHalf), b.P(P::kInverseSlope)) * b.S(S::kH);
  c.na = c.na_slope * (v - SodiumReversal(b.S(S::kUNa)));
  const Vec cai = b.S(S::kCai);
  c.k_slope = b.P(P::kGKdr) * Fourth(b.S(S::kN)) + b.P(P::kGKca) * (cai / (cai + rcsd::kKcaHalfMm));
  if constexpr (kHasKa) c.k_slope = c.k_slope + b.P(P::kGKa) * b.S(S::kAKa) * b.S(S::kBKa);
  c.k = c.k_slope * (v - PotassiumReversal(b.S(S::kUK)));
  c.ca = c.ca_slope = Set(0.0);
  const Vec m = b.S(S::kMCan);
  AddCalcium(c, b.P(P::kGCan) * m * m * b.S(S::kHCan), v, Exp(v * (1.0 / rcsd::kGhkCanMv)), cai,
             rcsd::kGhkCanMv, k.can_secant);
  c.total = c.na + c.k + c.ca;
  c.slope = c.na_slope + c.k_slope + c.ca_slope;
  AddPassive<P>(c, b, v);
  return c;
}

Currents DendCurrents(const StepConstants& k, const Block& b, Vec v) {
  using S = DendState;
  using P = DendParam;
  Currents c;
  const Vec cai = b.S(S::kCai);
  c.k_slope = b.P(P::kGKca) * (cai / (cai + rcsd::kKcaHalfMm));
  c.k = c.k_slope * (v - PotassiumReversal(b.S(S::kUK)));
  c.ca = c.ca_slope = Set(0.0);
  const Vec m = b.S(S::kMCan);
  AddCalcium(c, b.P(P::kGCan) * m * m * b.S(S::kHCan), v, Exp(v * (1.0 / rcsd::kGhkCanMv)), cai,
             rcsd::kGhkCanMv, k.can_secant);
  AddCalcium(c, b.P(P::kGCal) * b.S(S::kMCal), v, Exp(v * (1.0 / rcsd::kGhkCalMv)), cai,
             rcsd::kGhkCalMv, k.cal_secant);
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
SodiumPotassiumGates SodiumPotassiumSteady(const StepConstants& k, Vec v) {
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
CanGates CanSteady(Vec v) {
  const Vec e5 = Exp((v + 30.0) * (1.0 / 5.0));
  return {e5 / (1.0 + e5), 1.0 / Fma(e5, Set(kExp3), Set(1.0))};
}
Vec CalSteady(Vec v) { return 1.0 / (1.0 + Exp((v + 40.0) * (-1.0 / 7.0))); }
struct KaGates {
  Vec a_inf, b_inf;
};
KaGates KaSteady(Vec v) {
  const Vec e8 = Exp((v + 36.0) * (1.0 / 8.0));
  return {e8 / (1.0 + e8), 1.0 / Fma(e8, Set(kExp30Over8), Set(1.0))};
}

Vec Relax(Vec y, Vec limit, Vec fraction) { return Fma(fraction, limit - y, y); }
Vec Relax(Vec y, Vec limit, double fraction) { return Relax(y, limit, Set(fraction)); }

template <class S>
void UpdateSodiumPotassium(const StepConstants& k, const Block& b, Vec v) {
  const SodiumPotassiumGates g = SodiumPotassiumSteady(k, v);
  b.Put(S::kH, Relax(b.S(S::kH), g.h_inf, 1.0 - Exp(-g.h_rate)));
  b.Put(S::kN, Relax(b.S(S::kN), g.n_inf, 1.0 - Exp(-g.n_rate)));
}

// Potassium and sodium shells; `current` is the ion's current at the half step.
void UpdatePool(const StepConstants& k, const Block& b, int u, Vec current) {
  b.Put(u, Relax(b.S(u), current * k.pool_drive, k.pool));
}

template <class S, class P>
void UpdateCalcium(const StepConstants& k, const Block& b, Vec v, Vec current) {
  const CanGates can = CanSteady(v);
  b.Put(S::kMCan, Relax(b.S(S::kMCan), can.m_inf, k.can_m));
  b.Put(S::kHCan, Relax(b.S(S::kHCan), can.h_inf, k.can_h));
  const Vec drive = Max(Set(0.0), b.P(P::kAlpha) * (b.P(P::kIRest) - current));
  const Vec limit = rcsd::kCaInMm + drive / b.P(P::kKCa);
  b.Put(S::kCai, Relax(b.S(S::kCai), limit, b.P(P::kCaDecay)));
}

void AddNoise(const RcsdGroupParams& group, const Block& cell, const double* normals,
              const double* params, std::array<Vec, 9>& total, std::array<Vec, 9>& slope,
              const std::array<Vec, 9>& v) {
  const NoiseParams& n = group.noise;
  const RcsdShape& shape = group.shape;
  const bool renshaw = shape.kind == CellKind::kRenshaw;
  struct Term {
    bool on;
    int variable, compartment;
    double g0, reversal, decay, amp;
  };
  const Term e = {n.excitatory_on, renshaw ? 0 : 1, shape.middle_compartment(renshaw ? 0 : 1),
                  n.g_e0,          n.reversal_e_mv, n.decay_e,
                  n.amp_e};
  const Term i = {n.inhibitory_on, renshaw ? 1 : 0, 0, n.g_i0, n.reversal_i_mv, n.decay_i, n.amp_i};
  for (const Term& t : {e, i}) {
    if (!t.on) continue;
    const int at = shape.noise_state(t.variable);
    Vec y = cell.S(at);
    if (normals != nullptr) {
      const Vec z = Load(normals + t.variable * kTileLanes);
      y = simd::Select(z <= z, Fma(y, Set(t.decay), t.amp * z), y);
      cell.Put(at, y);
    }
    const int c = t.compartment;
    const Vec g = Max(Set(0.0), t.g0 + y) * Load(params + shape.per_area_param(c) * kTileLanes);
    total[c] = total[c] + g * (v[c] - t.reversal);
    slope[c] = slope[c] + g;
  }
}

void AddSynapses(const RcsdGroupParams& group, const Block& cell, const double* params,
                 std::array<Vec, 9>& total, std::array<Vec, 9>& slope,
                 const std::array<Vec, 9>& v) {
  for (const SynapseSlot& slot : group.slots) {
    const int c = slot.compartment;
    const Vec a = cell.S(slot.state);
    const Vec b = cell.S(slot.state + 1);
    const Vec g = (b - a) * Load(params + group.shape.per_area_param(c) * kTileLanes);
    if (slot.mg_over_kd == 0.0) {
      total[c] = total[c] + g * (v[c] - slot.reversal_mv);
      slope[c] = slope[c] + g;
    } else {
      const Vec e = Exp((v[c] + slot.vshift_mv) * -slot.gamma_per_mv) * slot.mg_over_kd;
      const Vec at_v = g * (v[c] - slot.reversal_mv) / (1.0 + e);
      const Vec beside =
          g * (v[c] + rcsd::kSecantMv - slot.reversal_mv) / (1.0 + e * slot.secant_factor);
      total[c] = total[c] + at_v;
      slope[c] = slope[c] + (beside - at_v) * (1.0 / rcsd::kSecantMv);
    }
    cell.Put(slot.state, a * slot.decay_rise);
    cell.Put(slot.state + 1, b * slot.decay_decay);
  }
}

template <int kNumDend, bool kHasKa>
uint32_t StepLanes(const RcsdGroupParams& group, const StepConstants& k, const double* params,
                   double* state, const double* normals, const double* current_density) {
  constexpr int kSoma = 0;
  constexpr int kFirstAxon = 1 + kNumDend;
  const RcsdShape shape{kHasKa ? CellKind::kRenshaw : CellKind::kMotoneuron, kNumDend};
  const Block cell{params, state};
  const Block soma = cell;
  auto dend = [&](int i) {
    return Block{params + shape.dend_param(i) * kTileLanes,
                 state + shape.dend_state(i) * kTileLanes};
  };
  auto axon = [&](int i) {
    return Block{params + shape.axon_param(i) * kTileLanes,
                 state + shape.axon_state(i) * kTileLanes};
  };

  // Spike detection on V_k.
  std::array<Vec, 9> v;
  v[kSoma] = soma.S(SomaState::kV);
  const Mask above = v[kSoma] > soma.P(SomaParam::kThreshold);
  const Vec was_above = cell.S(shape.above_state());
  cell.Put(shape.above_state(), simd::Select(above, Set(1.0), Set(0.0)));
  const uint32_t crossed = simd::Bits(above & (was_above < Set(0.5)));

  // Currents at V_k.
  std::array<Vec, 9> total, slope, field;
  Currents at_soma = SomaCurrents<kHasKa>(k, soma, v[kSoma]);
  total[kSoma] = at_soma.total;
  slope[kSoma] = at_soma.slope;
  field[kSoma] = soma.S(SomaState::kField);
  std::array<Currents, kNumDend == 0 ? 1 : kNumDend> at_dend;
  for (int i = 0; i < kNumDend; ++i) {
    const Block b = dend(i);
    v[1 + i] = b.S(DendState::kV);
    at_dend[i] = DendCurrents(k, b, v[1 + i]);
    total[1 + i] = at_dend[i].total;
    slope[1 + i] = at_dend[i].slope;
    field[1 + i] = b.S(DendState::kField);
  }
  std::array<Currents, kNumAxon> at_axon;
  for (int i = 0; i < kNumAxon; ++i) {
    const Block b = axon(i);
    const int c = kFirstAxon + i;
    v[c] = b.S(AxonState::kV);
    at_axon[i] = AxonCurrents(b, v[c]);
    total[c] = at_axon[i].total;
    slope[c] = at_axon[i].slope;
    field[c] = b.S(AxonState::kField);
  }
  AddNoise(group, cell, normals, params, total, slope, v);
  AddSynapses(group, cell, params, total, slope, v);
  if (current_density != nullptr) {
    for (int c = 0; c < kFirstAxon + kNumAxon; ++c) {
      field[c] = field[c] + Load(current_density + c * kTileLanes);
    }
  }

  // The chain: eliminate from both far ends towards the soma, then back.
  std::array<Vec, 9> diag, rhs, g_prev, inverse;
  diag[kSoma] = soma.P(SomaParam::kCap) + slope[kSoma];
  rhs[kSoma] = field[kSoma] - total[kSoma];
  auto couple = [&](int c, int prev, Vec g_of_prev, Vec g_own) {
    g_prev[c] = g_own;
    const Vec difference = v[c] - v[prev];
    diag[c] = diag[c] + g_own;
    rhs[c] = NegFma(g_own, difference, rhs[c]);
    diag[prev] = diag[prev] + g_of_prev;
    rhs[prev] = Fma(g_of_prev, difference, rhs[prev]);
  };
  for (int i = 0; i < kNumAxon; ++i) {
    const int c = kFirstAxon + i;
    diag[c] = axon(i).P(AxonParam::kCap) + slope[c];
    rhs[c] = field[c] - total[c];
    couple(c, i == 0 ? kSoma : c - 1,
           i == 0 ? soma.P(SomaParam::kGAxon) : axon(i - 1).P(AxonParam::kGNext),
           axon(i).P(AxonParam::kGPrev));
  }
  for (int i = 0; i < kNumDend; ++i) {
    const int c = 1 + i;
    diag[c] = dend(i).P(DendParam::kCap) + slope[c];
    rhs[c] = field[c] - total[c];
    couple(c, i == 0 ? kSoma : c - 1,
           i == 0 ? soma.P(SomaParam::kGDend) : dend(i - 1).P(DendParam::kGNext),
           dend(i).P(DendParam::kGPrev));
  }
  auto eliminate = [&](int c, int prev, Vec g_of_prev) {
    inverse[c] = 1.0 / diag[c];
    const Vec f = g_of_prev * inverse[c];
    diag[prev] = NegFma(f, g_prev[c], diag[prev]);
    rhs[prev] = Fma(f, rhs[c], rhs[prev]);
  };
  for (int i = kNumAxon - 1; i >= 1; --i) {
    eliminate(kFirstAxon + i, kFirstAxon + i - 1, axon(i - 1).P(AxonParam::kGNext));
  }
  eliminate(kFirstAxon, kSoma, soma.P(SomaParam::kGAxon));
  for (int i = kNumDend - 1; i >= 1; --i) {
    eliminate(1 + i, i, dend(i - 1).P(DendParam::kGNext));
  }
  if constexpr (kNumDend > 0) eliminate(1, kSoma, soma.P(SomaParam::kGDend));
  std::array<Vec, 9> dv;
  dv[kSoma] = rhs[kSoma] / diag[kSoma];
  for (int i = 0; i < kNumDend; ++i) {
    dv[1 + i] = Fma(g_prev[1 + i], dv[i == 0 ? kSoma : i], rhs[1 + i]) * inverse[1 + i];
  }
  for (int i = 0; i < kNumAxon; ++i) {
    const int c = kFirstAxon + i;
    dv[c] = Fma(g_prev[c], dv[i == 0 ? kSoma : c - 1], rhs[c]) * inverse[c];
  }

  // V_{k+1}; gates and pools at the new voltage with the ion currents of the half step.
  {
    const Vec nv = Fma(Set(2.0), dv[kSoma], v[kSoma]);
    soma.Put(SomaState::kV, nv);
    UpdateSodiumPotassium<SomaState>(k, soma, nv);
    UpdatePool(k, soma, SomaState::kUNa, Fma(at_soma.na_slope, dv[kSoma], at_soma.na));
    UpdatePool(k, soma, SomaState::kUK, Fma(at_soma.k_slope, dv[kSoma], at_soma.k));
    UpdateCalcium<SomaState, SomaParam>(k, soma, nv, Fma(at_soma.ca_slope, dv[kSoma], at_soma.ca));
    if constexpr (kHasKa) {
      const KaGates ka = KaSteady(nv);
      soma.Put(SomaState::kAKa, Relax(soma.S(SomaState::kAKa), ka.a_inf, k.ka_a));
      soma.Put(SomaState::kBKa, Relax(soma.S(SomaState::kBKa), ka.b_inf, k.ka_b));
    }
  }
  for (int i = 0; i < kNumDend; ++i) {
    const Block b = dend(i);
    const Vec d = dv[1 + i];
    const Vec nv = Fma(Set(2.0), d, v[1 + i]);
    b.Put(DendState::kV, nv);
    b.Put(DendState::kMCal, Relax(b.S(DendState::kMCal), CalSteady(nv), k.cal_m));
    UpdatePool(k, b, DendState::kUK, Fma(at_dend[i].k_slope, d, at_dend[i].k));
    UpdateCalcium<DendState, DendParam>(k, b, nv, Fma(at_dend[i].ca_slope, d, at_dend[i].ca));
  }
  for (int i = 0; i < kNumAxon; ++i) {
    const Block b = axon(i);
    const Vec d = dv[kFirstAxon + i];
    const Vec nv = Fma(Set(2.0), d, v[kFirstAxon + i]);
    b.Put(AxonState::kV, nv);
    UpdateSodiumPotassium<AxonState>(k, b, nv);
    UpdatePool(k, b, AxonState::kUNa, Fma(at_axon[i].na_slope, d, at_axon[i].na));
    UpdatePool(k, b, AxonState::kUK, Fma(at_axon[i].k_slope, d, at_axon[i].k));
  }
  return crossed;
}

template <int kNumDend, bool kHasKa>
uint32_t StepTile(const RcsdGroupParams& group, const StepConstants& k, const double* params,
                  double* state, const double* normals, const double* current_density) {
  uint32_t crossed = 0;
  for (int lane = 0; lane < kTileLanes; lane += simd::kLanes) {
    crossed |= StepLanes<kNumDend, kHasKa>(group, k, params + lane, state + lane,
                                           normals ? normals + lane : nullptr,
                                           current_density ? current_density + lane : nullptr)
               << lane;
  }
  return crossed;
}

// Gates of every compartment at their steady states at v, pools at rest.
void SetSteady(const RcsdShape& shape, const StepConstants& k, double v_mv, double* state) {
  const Vec v = Set(v_mv);
  const SodiumPotassiumGates gates = SodiumPotassiumSteady(k, v);
  const CanGates can = CanSteady(v);
  auto sodium_potassium = [&](double* s, int at_v, int h, int n, int u_na, int u_k, int field) {
    Store(v, s + at_v * kTileLanes);
    Store(gates.h_inf, s + h * kTileLanes);
    Store(gates.n_inf, s + n * kTileLanes);
    for (int i : {u_na, u_k, field}) Store(Set(0.0), s + i * kTileLanes);
  };
  using S = SomaState;
  sodium_potassium(state, S::kV, S::kH, S::kN, S::kUNa, S::kUK, S::kField);
  Store(can.m_inf, state + S::kMCan * kTileLanes);
  Store(can.h_inf, state + S::kHCan * kTileLanes);
  Store(Set(rcsd::kCaInMm), state + S::kCai * kTileLanes);
  if (shape.has_ka()) {
    const KaGates ka = KaSteady(v);
    Store(ka.a_inf, state + S::kAKa * kTileLanes);
    Store(ka.b_inf, state + S::kBKa * kTileLanes);
  }
  for (int i = 0; i < shape.num_dend; ++i) {
    double* s = state + shape.dend_state(i) * kTileLanes;
    using D = DendState;
    Store(v, s + D::kV * kTileLanes);
    Store(can.m_inf, s + D::kMCan * kTileLanes);
    Store(can.h_inf, s + D::kHCan * kTileLanes);
    Store(CalSteady(v), s + D::kMCal * kTileLanes);
    Store(Set(rcsd::kCaInMm), s + D::kCai * kTileLanes);
    for (int j : {int{D::kUK}, int{D::kField}}) Store(Set(0.0), s + j * kTileLanes);
  }
  for (int i = 0; i < RcsdShape::kNumAxon; ++i) {
    using A = AxonState;
    sodium_potassium(state + shape.axon_state(i) * kTileLanes, A::kV, A::kH, A::kN, A::kUNa, A::kUK,
                     A::kField);
  }
}

double Lane0(Vec x) {
  double lanes[simd::kLanes];
  Store(x, lanes);
  return lanes[0];
}

// Calls fn(parameter block offset, currents at v with the given state) for each compartment.
template <class Fn>
void ForEachCurrents(const RcsdShape& shape, const StepConstants& k, const double* params,
                     double* state, double v_mv, Fn fn) {
  const Vec v = Set(v_mv);
  const Block soma{params, state};
  fn(0, shape.has_ka() ? SomaCurrents<true>(k, soma, v) : SomaCurrents<false>(k, soma, v));
  for (int i = 0; i < shape.num_dend; ++i) {
    fn(shape.dend_param(i), DendCurrents(k,
                                         Block{params + shape.dend_param(i) * kTileLanes,
                                               state + shape.dend_state(i) * kTileLanes},
                                         v));
  }
  for (int i = 0; i < RcsdShape::kNumAxon; ++i) {
    fn(shape.axon_param(i), AxonCurrents(Block{params + shape.axon_param(i) * kTileLanes,
                                               state + shape.axon_state(i) * kTileLanes},
                                         v));
  }
}

}  // namespace

double ScalarExp(double x) { return Lane0(Exp(Set(x))); }

RcsdShape ShapeOf(const CellTemplate& cell) { return {cell.kind, cell.num_dend_segments()}; }

RcsdCellParams DeriveRcsdCell(const CellTemplate& cell, double dt_ms, double v_init_mv) {
  const RcsdShape shape = ShapeOf(cell);
  const StepConstants k = MakeStepConstants(dt_ms);
  RcsdCellParams out;
  out.params.assign(shape.num_params(), 0.0);
  std::vector<double>& p = out.params;

  auto common = [&](const Section& s, int base, int cap, int g_pas, int e_pas, int per_area) {
    p[base + cap] = s.cm_uf_cm2 * 1e-3 * 2.0 / dt_ms;
    p[base + g_pas] = s.g_pas_s_cm2;
    p[base + e_pas] = s.e_pas_mv;
    p[base + per_area] = 1e2 / s.segment_area_um2();
  };
  auto sodium_potassium = [&](const Section& s, int base, int g_nas, int v_half, int inverse_slope,
                              int g_kdr) {
    p[base + g_nas] = s.gmax_nas_s_cm2;
    p[base + v_half] = s.vhalf_nas_mv;
    p[base + inverse_slope] = 1.0 / s.slope_nas_mv;
    p[base + g_kdr] = s.gmax_kdr_s_cm2;
  };
  auto calcium = [&](const Section& s, int base, int decay, int alpha, int k_ca) {
    p[base + decay] = 1.0 - ScalarExp(-dt_ms * s.f_ca * s.k_ca);
    p[base + alpha] = s.alpha_ca;
    p[base + k_ca] = s.k_ca;
  };
  // Coupling densities of a junction, seen from either side.
  auto coupling = [&](double resistance_mohm, const Section& s) {
    return 1e2 / (resistance_mohm * s.segment_area_um2());
  };

  const Section& soma = cell.sections[0];
  {
    using P = SomaParam;
    common(soma, 0, P::kCap, P::kGPas, P::kEPas, P::kPerArea);
    sodium_potassium(soma, 0, P::kGNas, P::kVHalf, P::kInverseSlope, P::kGKdr);
    calcium(soma, 0, P::kCaDecay, P::kAlpha, P::kKCa);
    p[P::kGKca] = soma.gmax_kca_s_cm2;
    p[P::kGCan] = soma.gmax_can_s_cm2;
    p[P::kGKa] = soma.gmax_ka_s_cm2;
    p[P::kThreshold] = cell.threshold_mv;
  }
  int axon = 0;
  const Section* previous = &soma;
  for (size_t i = 1; i < cell.sections.size(); ++i) {
    const Section& s = cell.sections[i];
    if (s.kind == SectionKind::kDend) {
      using P = DendParam;
      for (int segment = 0; segment < s.num_segments; ++segment) {
        const int base = shape.dend_param(segment);
        common(s, base, P::kCap, P::kGPas, P::kEPas, P::kPerArea);
        calcium(s, base, P::kCaDecay, P::kAlpha, P::kKCa);
        p[base + P::kGKca] = s.gmax_kca_s_cm2;
        p[base + P::kGCan] = s.gmax_can_s_cm2;
        p[base + P::kGCal] = s.gmax_cal_s_cm2;
        const Section& before = segment == 0 ? soma : s;
        const double r = before.half_segment_resistance_mohm() + s.half_segment_resistance_mohm();
        p[base + P::kGPrev] = coupling(r, s);
        p[segment == 0 ? int{SomaParam::kGDend} : shape.dend_param(segment - 1) + P::kGNext] =
            coupling(r, before);
      }
    } else {
      using P = AxonParam;
      const int base = shape.axon_param(axon);
      common(s, base, P::kCap, P::kGPas, P::kEPas, P::kPerArea);
      sodium_potassium(s, base, P::kGNas, P::kVHalf, P::kInverseSlope, P::kGKdr);
      const Section& before = axon == 0 ? soma : *previous;
      const double r = before.half_segment_resistance_mohm() + s.half_segment_resistance_mohm();
      p[base + P::kGPrev] = coupling(r, s);
      p[axon == 0 ? int{SomaParam::kGAxon} : shape.axon_param(axon - 1) + P::kGNext] =
          coupling(r, before);
      previous = &s;
      ++axon;
    }
  }

  // The pin current holds every compartment at hold_mv; the calcium pools' reference current is
  // the calcium current at the start.
  std::vector<double> tile(shape.num_params() * kTileLanes);
  std::vector<double> state(shape.spikes_state() * kTileLanes, 0.0);
  auto spread = [&] {
    for (size_t i = 0; i < p.size(); ++i) {
      std::fill_n(tile.begin() + i * kTileLanes, kTileLanes, p[i]);
    }
  };
  spread();
  SetSteady(shape, k, cell.hold_mv, state.data());
  ForEachCurrents(shape, k, tile.data(), state.data(), cell.hold_mv,
                  [&](int base, const Currents& c) {
                    static_assert(SomaParam::kPin == int{DendParam::kPin} &&
                                  SomaParam::kPin == int{AxonParam::kPin});
                    p[base + SomaParam::kPin] = -Lane0(c.total);
                  });
  spread();
  SetSteady(shape, k, v_init_mv, state.data());
  ForEachCurrents(shape, k, tile.data(), state.data(), v_init_mv, [&](int base, const Currents& c) {
    if (base == 0) p[SomaParam::kIRest] = Lane0(c.ca);
    if (base > 0 && base < shape.axon_param(0)) {
      p[base + DendParam::kIRest] = Lane0(c.ca);
    }
  });
  out.initial_state.resize(shape.spikes_state());
  for (int i = 0; i < shape.spikes_state(); ++i) out.initial_state[i] = state[i * kTileLanes];
  return out;
}

uint32_t StepRcsdTile(const RcsdGroupParams& group, const double* params, double* state,
                      const double* normals, const double* current_density) {
  static thread_local StepConstants k{};
  if (k.dt_ms != group.dt_ms) k = MakeStepConstants(group.dt_ms);
  if (group.shape.kind == CellKind::kRenshaw) {
    return StepTile<0, true>(group, k, params, state, normals, current_density);
  }
  if (group.shape.num_dend == 3) {
    return StepTile<3, false>(group, k, params, state, normals, current_density);
  }
  return StepTile<1, false>(group, k, params, state, normals, current_density);
}

}  // namespace livnd::sim
