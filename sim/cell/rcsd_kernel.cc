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

constexpr int kNumAxon = RcsdShape::kNumAxon;

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
uint32_t StepLanes(const RcsdGroupParams& group, const double* params, double* state,
                   const double* normals, const double* current_density) {
  constexpr int kSoma = 0;
  constexpr int kFirstAxon = 1 + kNumDend;
  const RcsdShape shape{kHasKa ? CellKind::kRenshaw : CellKind::kMotoneuron, kNumDend};
  const StepConstants& k = group.step;
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
  Currents at_soma = rcsd::SomaCurrents<kHasKa>(k, soma, v[kSoma]);
  total[kSoma] = at_soma.total;
  slope[kSoma] = at_soma.slope;
  field[kSoma] = soma.S(SomaState::kField);
  std::array<Currents, kNumDend == 0 ? 1 : kNumDend> at_dend;
  for (int i = 0; i < kNumDend; ++i) {
    const Block b = dend(i);
    v[1 + i] = b.S(DendState::kV);
    at_dend[i] = rcsd::DendCurrents(k, b, v[1 + i]);
    total[1 + i] = at_dend[i].total;
    slope[1 + i] = at_dend[i].slope;
    field[1 + i] = b.S(DendState::kField);
  }
  std::array<Currents, kNumAxon> at_axon;
  for (int i = 0; i < kNumAxon; ++i) {
    const Block b = axon(i);
    const int c = kFirstAxon + i;
    v[c] = b.S(AxonState::kV);
    at_axon[i] = rcsd::AxonCurrents(b, v[c]);
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
    rcsd::UpdateSodiumPotassium<SomaState>(k, soma, nv);
    rcsd::UpdatePool(k, soma, SomaState::kUNa, Fma(at_soma.na_slope, dv[kSoma], at_soma.na));
    rcsd::UpdatePool(k, soma, SomaState::kUK, Fma(at_soma.k_slope, dv[kSoma], at_soma.k));
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
    rcsd::UpdatePool(k, b, DendState::kUK, Fma(at_dend[i].k_slope, d, at_dend[i].k));
    rcsd::UpdateCalcium<DendState, DendParam>(k, b, nv, Fma(at_dend[i].ca_slope, d, at_dend[i].ca));
  }
  for (int i = 0; i < kNumAxon; ++i) {
    const Block b = axon(i);
    const Vec d = dv[kFirstAxon + i];
    const Vec nv = Fma(Set(2.0), d, v[kFirstAxon + i]);
    b.Put(AxonState::kV, nv);
    rcsd::UpdateSodiumPotassium<AxonState>(k, b, nv);
    rcsd::UpdatePool(k, b, AxonState::kUNa, Fma(at_axon[i].na_slope, d, at_axon[i].na));
    rcsd::UpdatePool(k, b, AxonState::kUK, Fma(at_axon[i].k_slope, d, at_axon[i].k));
  }
  return crossed;
}

template <int kNumDend, bool kHasKa>
uint32_t StepTile(const RcsdGroupParams& group, const double* params, double* state,
                  const double* normals, const double* current_density) {
  uint32_t crossed = 0;
  for (int lane = 0; lane < kTileLanes; lane += simd::kLanes) {
    crossed |= StepLanes<kNumDend, kHasKa>(group, params + lane, state + lane,
                                           normals ? normals + lane : nullptr,
                                           current_density ? current_density + lane : nullptr)
               << lane;
  }
  return crossed;
}

}  // namespace

uint32_t StepRcsdTile(const RcsdGroupParams& group, const double* params, double* state,
                      const double* normals, const double* current_density) {
  if (group.shape.kind == CellKind::kRenshaw) {
    return StepTile<0, true>(group, params, state, normals, current_density);
  }
  if (group.shape.num_dend == 3) {
    return StepTile<3, false>(group, params, state, normals, current_density);
  }
  return StepTile<1, false>(group, params, state, normals, current_density);
}

}  // namespace livnd::sim
