#include "sim/cell/rcsd_kernel.h"

#include <array>

#include "sim/cell/rcsd_constants.h"
#include "sim/cell/rcsd_membrane.h"
#include "sim/simd/math.h"
#include "sim/simd/vec.h"

namespace livnd::sim {
namespace {

using rcsd::Block;
using rcsd::Currents;
using simd::Exp;
using simd::Fma;
using simd::Load;
using simd::Mask;
using simd::Max;
using simd::NegFma;
using simd::Set;
using simd::Vec;

// Most compartments that a cell has: soma, three of the dendrite, five of the axon.
constexpr int kMaxCompartments = 9;
using Compartments = std::array<Vec, kMaxCompartments>;

void AddNoise(const RcsdGroupParams& group, const Block& cell, const double* normals,
              const double* params, Compartments& total, Compartments& slope,
              const Compartments& v) {
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

// The opsin's current at V_k with its secant.
void AddOpsin(const RcsdGroupParams& group, const Block& soma, Compartments& total,
              Compartments& slope, const Compartments& v) {
  const OpsinConstants& o = group.opsin_step;
  const Vec e = Exp((v[0] - o.reversal_mv) * -o.inverse_v0);
  const Vec g = soma.S(group.shape.opsin_state() + OpsinState::kOpen) * o.unit_na *
                soma.P(SomaParam::kPerArea);
  const Vec at_v = g * (1.0 - e);
  const Vec beside = g * (1.0 - e * o.secant_factor);
  total[0] = total[0] + at_v;
  slope[0] = slope[0] + (beside - at_v) * (1.0 / rcsd::kSecantMv);
}

// Backward Euler of the three states, at the light of this step.
void UpdateOpsin(const RcsdGroupParams& group, const Block& cell) {
  const int at = group.shape.opsin_state();
  const double dt = group.step.dt_ms;
  const Vec ga = cell.S(at + OpsinState::kGa) * dt;
  const Vec gr = cell.S(at + OpsinState::kGr) * dt;
  const double gd = group.opsin_step.gd * dt;
  const Vec open = cell.S(at + OpsinState::kOpen) + ga;
  const Vec desensitised = cell.S(at + OpsinState::kDesensitised);
  // (1 + ga + gd) o + ga d = open; (1 + gr) d - gd o = desensitised.
  const Vec a = 1.0 + ga + gd;
  const Vec d = 1.0 + gr;
  const Vec inverse = 1.0 / Fma(a, d, ga * gd);
  cell.Put(at + OpsinState::kOpen, Fma(d, open, -(ga * desensitised)) * inverse);
  cell.Put(at + OpsinState::kDesensitised, Fma(a, desensitised, gd * open) * inverse);
}

// S(v; half) where the voltage is beyond theta, else 0.
Vec Beyond(const PlasticityRule& r, Vec v, double theta, double half, double log_slope) {
  const simd::Mask on = r.inhibitory ? v < Set(theta) : v > Set(theta);
  return simd::Select(on, 1.0 / (1.0 + Exp((v - half) * -log_slope)), Set(0.0));
}

// What one evaluation at v adds to the learning signal.
Vec Learned(const LearningSlot& slot, Vec v) {
  const PlasticityRule& r = slot.rule;
  const Vec ltd = Beyond(r, v, r.theta_ltd_mv, r.ltd_half_mv, slot.log_slope);
  const Vec ltp = Beyond(r, v, r.theta_ltp_mv, r.ltp_half_mv, slot.log_slope);
  const Vec x = (2.0 * r.a_ltp * ltp - r.a_ltd * ltd) * (1.0 / r.learning_tau);
  return (2.0 / (1.0 + Exp(x * -slot.log_slope)) - 1.0) * (1.0 / 5000.0);
}

// The signal gathers at both evaluations of the secant, decays, and is integrated.
void Learn(const RcsdGroupParams& group, const Block& cell, const double* learning,
           const Compartments& v) {
  const Vec on = Load(learning);
  for (const LearningSlot& slot : group.learning) {
    const Vec at = v[slot.compartment];
    const Vec gathered = Learned(slot, at + rcsd::kSecantMv) + Learned(slot, at);
    const Vec signal = Fma(on, gathered, cell.S(slot.state)) * slot.decay;
    cell.Put(slot.state, signal);
    cell.Put(slot.state + 1, Fma(signal, Set(group.step.dt_ms), cell.S(slot.state + 1)));
  }
}

void AddSynapses(const RcsdGroupParams& group, const Block& cell, const double* params,
                 Compartments& total, Compartments& slope, const Compartments& v) {
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

// One vector of cells: the arrays of `step` begin at `lane` of the tile.
template <int kNumDend, int kNumAxon, bool kHasKa, bool kOwnPools>
uint32_t StepLanes(const RcsdGroupParams& group, const TileStep& step, int lane) {
  constexpr int kSoma = 0;
  constexpr int kFirstAxon = 1 + kNumDend;
  RcsdShape shape;
  shape.kind = kHasKa ? CellKind::kRenshaw : CellKind::kMotoneuron;
  shape.num_dend = kNumDend;
  shape.num_axon = kNumAxon;
  shape.own_pools = kOwnPools;
  shape.has_opsin = group.shape.has_opsin;
  const StepConstants& k = group.step;
  const double* params = step.params + lane;
  double* state = step.state + lane;
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
  Compartments v;
  v[kSoma] = soma.S(SomaState::kV);
  const Mask above = v[kSoma] > soma.P(SomaParam::kThreshold);
  const Vec was_above = cell.S(shape.above_state());
  cell.Put(shape.above_state(), simd::Select(above, Set(1.0), Set(0.0)));
  const uint32_t crossed = simd::Bits(above & (was_above < Set(0.5)));

  // Currents at V_k.
  Compartments total, slope, field;
  Currents at_soma = rcsd::SomaCurrents<kHasKa, kOwnPools>(k, soma, v[kSoma]);
  total[kSoma] = at_soma.total;
  slope[kSoma] = at_soma.slope;
  field[kSoma] = soma.S(SomaState::kField);
  std::array<Currents, kNumDend == 0 ? 1 : kNumDend> at_dend;
  for (int i = 0; i < kNumDend; ++i) {
    const Block b = dend(i);
    v[1 + i] = b.S(DendState::kV);
    at_dend[i] = rcsd::DendCurrents<kOwnPools>(k, b, v[1 + i]);
    total[1 + i] = at_dend[i].total;
    slope[1 + i] = at_dend[i].slope;
    field[1 + i] = b.S(DendState::kField);
  }
  std::array<Currents, kNumAxon == 0 ? 1 : kNumAxon> at_axon;
  for (int i = 0; i < kNumAxon; ++i) {
    const Block b = axon(i);
    const int c = kFirstAxon + i;
    v[c] = b.S(AxonState::kV);
    at_axon[i] = rcsd::AxonCurrents<kOwnPools>(b, v[c]);
    total[c] = at_axon[i].total;
    slope[c] = at_axon[i].slope;
    field[c] = b.S(AxonState::kField);
  }
  AddNoise(group, cell, step.normals != nullptr ? step.normals + lane : nullptr, params, total,
           slope, v);
  AddSynapses(group, cell, params, total, slope, v);
  if (step.light) AddOpsin(group, soma, total, slope, v);
  if (step.learning != nullptr) Learn(group, cell, step.learning + lane, v);
  if (step.drive != nullptr) {
    for (int c = 0; c < kFirstAxon + kNumAxon; ++c) {
      field[c] = field[c] + Load(step.drive + lane + c * kTileLanes);
    }
  }

  Compartments own;  // the membrane's share of the diagonal
  // The chain: eliminate from both far ends towards the soma, then back.
  Compartments diag, rhs, g_prev, inverse;
  diag[kSoma] = own[kSoma] = soma.P(SomaParam::kCap) + slope[kSoma];
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
    diag[c] = own[c] = axon(i).P(AxonParam::kCap) + slope[c];
    rhs[c] = field[c] - total[c];
    couple(c, i == 0 ? kSoma : c - 1,
           i == 0 ? soma.P(SomaParam::kGAxon) : axon(i - 1).P(AxonParam::kGNext),
           axon(i).P(AxonParam::kGPrev));
  }
  for (int i = 0; i < kNumDend; ++i) {
    const int c = 1 + i;
    diag[c] = own[c] = dend(i).P(DendParam::kCap) + slope[c];
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
  if constexpr (kNumAxon > 0) eliminate(kFirstAxon, kSoma, soma.P(SomaParam::kGAxon));
  for (int i = kNumDend - 1; i >= 1; --i) {
    eliminate(1 + i, i, dend(i - 1).P(DendParam::kGNext));
  }
  if constexpr (kNumDend > 0) eliminate(1, kSoma, soma.P(SomaParam::kGDend));
  Compartments dv;
  dv[kSoma] = rhs[kSoma] / diag[kSoma];
  for (int i = 0; i < kNumDend; ++i) {
    dv[1 + i] = Fma(g_prev[1 + i], dv[i == 0 ? kSoma : i], rhs[1 + i]) * inverse[1 + i];
  }
  for (int i = 0; i < kNumAxon; ++i) {
    const int c = kFirstAxon + i;
    dv[c] = Fma(g_prev[c], dv[i == 0 ? kSoma : c - 1], rhs[c]) * inverse[c];
  }

  if (step.membrane_current != nullptr) {
    for (int c = 0; c < kFirstAxon + kNumAxon; ++c) {
      simd::Store(Fma(own[c], dv[c], total[c]), step.membrane_current + lane + c * kTileLanes);
    }
  }

  // V_{k+1}; gates and pools at the new voltage with the ion currents of the half step.
  {
    const Vec nv = Fma(Set(2.0), dv[kSoma], v[kSoma]);
    soma.Put(SomaState::kV, nv);
    rcsd::UpdateSodiumPotassium<SomaState>(k, soma, nv);
    rcsd::UpdateSodium<SomaState, SomaParam, kOwnPools>(
        k, soma, Fma(at_soma.na_slope, dv[kSoma], at_soma.na));
    rcsd::UpdatePotassium<SomaState, SomaParam, kOwnPools>(
        k, soma, Fma(at_soma.k_slope, dv[kSoma], at_soma.k));
    rcsd::UpdateCalcium<SomaState, SomaParam>(k, soma, nv,
                                              Fma(at_soma.ca_slope, dv[kSoma], at_soma.ca));
    if constexpr (kHasKa) {
      const rcsd::KaGates ka = rcsd::KaSteady(nv);
      soma.Put(SomaState::kAKa, rcsd::Relax(soma.S(SomaState::kAKa), ka.a_inf, k.ka_a));
      soma.Put(SomaState::kBKa, rcsd::Relax(soma.S(SomaState::kBKa), ka.b_inf, k.ka_b));
    }
  }
  for (int i = 0; i < kNumDend; ++i) {
    const Block b = dend(i);
    const Vec d = dv[1 + i];
    const Vec nv = Fma(Set(2.0), d, v[1 + i]);
    b.Put(DendState::kV, nv);
    b.Put(DendState::kMCal, rcsd::Relax(b.S(DendState::kMCal), rcsd::CalSteady(nv), k.cal_m));
    rcsd::UpdatePotassium<DendState, DendParam, kOwnPools>(
        k, b, Fma(at_dend[i].k_slope, d, at_dend[i].k));
    rcsd::UpdateCalcium<DendState, DendParam>(k, b, nv, Fma(at_dend[i].ca_slope, d, at_dend[i].ca));
  }
  for (int i = 0; i < kNumAxon; ++i) {
    const Block b = axon(i);
    const Vec d = dv[kFirstAxon + i];
    const Vec nv = Fma(Set(2.0), d, v[kFirstAxon + i]);
    b.Put(AxonState::kV, nv);
    rcsd::UpdateSodiumPotassium<AxonState>(k, b, nv);
    rcsd::UpdateSodium<AxonState, AxonParam, kOwnPools>(k, b,
                                                        Fma(at_axon[i].na_slope, d, at_axon[i].na));
    rcsd::UpdatePotassium<AxonState, AxonParam, kOwnPools>(
        k, b, Fma(at_axon[i].k_slope, d, at_axon[i].k));
  }
  if (step.light) UpdateOpsin(group, cell);
  return crossed;
}

template <int kNumDend, int kNumAxon, bool kHasKa, bool kOwnPools>
uint32_t StepTile(const RcsdGroupParams& group, const TileStep& step) {
  uint32_t crossed = 0;
  for (int lane = 0; lane < kTileLanes; lane += simd::kLanes) {
    crossed |= StepLanes<kNumDend, kNumAxon, kHasKa, kOwnPools>(group, step, lane) << lane;
  }
  return crossed;
}

template <int kNumAxon, bool kOwnPools>
uint32_t StepShape(const RcsdGroupParams& group, const TileStep& step) {
  if (group.shape.kind == CellKind::kRenshaw) {
    return StepTile<0, kNumAxon, true, kOwnPools>(group, step);
  }
  if (group.shape.num_dend == 3) return StepTile<3, kNumAxon, false, kOwnPools>(group, step);
  return StepTile<1, kNumAxon, false, kOwnPools>(group, step);
}

}  // namespace

uint32_t StepRcsdTile(const RcsdGroupParams& group, const TileStep& step) {
  if (group.shape.num_axon == 0) {
    return group.shape.own_pools ? StepShape<0, true>(group, step)
                                 : StepShape<0, false>(group, step);
  }
  return group.shape.own_pools ? StepShape<5, true>(group, step) : StepShape<5, false>(group, step);
}

}  // namespace livnd::sim
