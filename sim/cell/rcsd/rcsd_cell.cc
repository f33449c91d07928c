#include <algorithm>
#include <vector>

#include "sim/cell/rcsd/rcsd_constants.h"
#include "sim/cell/rcsd/rcsd_kernel.h"
#include "sim/cell/rcsd/rcsd_membrane.h"
#include "sim/simd/math.h"
#include "sim/simd/scalar_math.h"
#include "sim/simd/vec.h"

// What happens once a cell takes the portable path: any other gives the same bits.
HWY_BEFORE_NAMESPACE();
namespace livnd::sim::HWY_NAMESPACE {
namespace {

using rcsd::Block;
using rcsd::Currents;
using simd::Set;
using simd::Store;
using simd::Vec;

// Gates of every compartment at their steady states at v, pools at rest.
void SetSteady(const RcsdShape& shape, const StepConstants& k, double v_mv, double* state) {
  const Vec v = Set(v_mv);
  const rcsd::SodiumPotassiumGates gates = rcsd::SodiumPotassiumSteady(k, v);
  const rcsd::CanGates can = rcsd::CanSteady(v);
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
    const rcsd::KaGates ka = rcsd::KaSteady(v);
    Store(ka.a_inf, state + S::kAKa * kTileLanes);
    Store(ka.b_inf, state + S::kBKa * kTileLanes);
  }
  for (int i = 0; i < shape.num_dend; ++i) {
    double* s = state + shape.dend_state(i) * kTileLanes;
    using D = DendState;
    Store(v, s + D::kV * kTileLanes);
    Store(can.m_inf, s + D::kMCan * kTileLanes);
    Store(can.h_inf, s + D::kHCan * kTileLanes);
    Store(rcsd::CalSteady(v), s + D::kMCal * kTileLanes);
    Store(Set(rcsd::kCaInMm), s + D::kCai * kTileLanes);
    for (int j : {int{D::kUK}, int{D::kField}}) Store(Set(0.0), s + j * kTileLanes);
  }
  for (int i = 0; i < shape.num_axon; ++i) {
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
void ForEachCurrents(const RcsdShape& shape, const double* params, double* state, double v_mv,
                     Fn fn) {
  const Vec v = Set(v_mv);
  const rcsd::GhkFunctions can = rcsd::GhkAt(v, rcsd::kGhkCanMv);
  const rcsd::GhkFunctions cal = rcsd::GhkAt(v, rcsd::kGhkCalMv);
  auto block = [&](int param, int variable) {
    return Block{params + param * kTileLanes, state + variable * kTileLanes};
  };
  auto own_reversal = [&](Vec u, int pool) {
    const Block b = block(pool, 0);
    return rcsd::OwnReversal(u, b.P(PoolParam::kOut), b.P(PoolParam::kIn));
  };
  auto e_na = [&](int c) {
    const Vec u = block(0, shape.sodium_state(c)).S(0);
    return shape.own_membrane ? own_reversal(u, shape.sodium_pool(c)) : rcsd::SodiumReversal(u);
  };
  auto e_k = [&](int c) {
    const Vec u = block(0, shape.potassium_state(c)).S(0);
    return shape.own_membrane ? own_reversal(u, shape.potassium_pool(c))
                              : rcsd::PotassiumReversal(u);
  };
  auto m3 = [&](const Block& b, int v_half, int inverse_slope) {
    return rcsd::Cube(rcsd::SodiumActivation(v, b.P(v_half), b.P(inverse_slope)));
  };
  const Block soma = block(0, 0);
  const Vec soma_m3 = m3(soma, SomaParam::kVHalf, SomaParam::kInverseSlope);
  fn(0, shape.has_ka() ? rcsd::SomaCurrents<true>(soma, v, soma_m3, can, e_na(0), e_k(0))
                       : rcsd::SomaCurrents<false>(soma, v, soma_m3, can, e_na(0), e_k(0)));
  for (int i = 0; i < shape.num_dend; ++i) {
    const Block b = block(shape.dend_param(i), shape.dend_state(i));
    fn(shape.dend_param(i), rcsd::DendCurrents(b, v, can, cal, e_k(1 + i)));
  }
  for (int i = 0; i < shape.num_axon; ++i) {
    const Block b = block(shape.axon_param(i), shape.axon_state(i));
    const int c = shape.axon_compartment(i);
    fn(shape.axon_param(i),
       rcsd::AxonCurrents(b, v, m3(b, AxonParam::kVHalf, AxonParam::kInverseSlope), e_na(c),
                          e_k(c)));
  }
}

}  // namespace
}  // namespace livnd::sim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

namespace livnd::sim {

using HWY_NAMESPACE::ForEachCurrents;
using HWY_NAMESPACE::Lane0;
using HWY_NAMESPACE::SetSteady;
using HWY_NAMESPACE::rcsd::Currents;

OpsinConstants MakeOpsinConstants(const OpsinParams& params) {
  const double x = 70.0 + params.reversal_mv;
  const double scale_mv = x / (ScalarExp(x / params.v0_mv) - 1.0);  // fv(-70 mV) = 1
  OpsinConstants c;
  c.unit_na = params.g0_ps * scale_mv * 1e-6;
  c.reversal_mv = params.reversal_mv;
  c.inverse_v0 = 1.0 / params.v0_mv;
  c.secant_factor = ScalarExp(-rcsd::kSecantMv / params.v0_mv);
  c.gd = params.gd;
  return c;
}

OpsinRates OpsinRatesAt(const OpsinParams& params, double photon_flux) {
  if (!(photon_flux > 0.0)) return {0.0, params.gr0};
  // k / (1 + (phi_m / phi)^n)
  const double log_ratio = ScalarLog(params.phi_m / photon_flux);
  return {params.k_a / (1.0 + ScalarExp(params.p * log_ratio)),
          params.gr0 + params.k_r / (1.0 + ScalarExp(params.q * log_ratio))};
}

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
  c.can_m_kept = 1.0 - c.can_m;
  c.can_h_kept = 1.0 - c.can_h;
  c.cal_m_kept = 1.0 - c.cal_m;
  c.ka_a_kept = 1.0 - c.ka_a;
  c.ka_b_kept = 1.0 - c.ka_b;
  c.na_rate = dt_ms / 30.0;
  c.kdr_rate = dt_ms / 7.0;
  c.pool_drive = 1e4 / (2.0 * rcsd::kFaraday * rcsd::kShellDepthUm * rcsd::kPoolRatePerMs);
  return c;
}

RcsdShape ShapeOf(const CellTemplate& cell) {
  RcsdShape shape;
  shape.kind = cell.kind;
  shape.num_dend = cell.num_dend_segments();
  shape.num_axon = cell.num_axon_sections();
  shape.own_membrane =
      std::any_of(cell.sections.begin(), cell.sections.end(), [](const Section& s) {
        return s.vhalf_nas_mv != rcsd::kVHalfMv || s.slope_nas_mv != rcsd::kSlopeMv ||
               !(s.sodium == PoolConstants{rcsd::kNaInMm, rcsd::kNaOutMm}) ||
               !(s.potassium == PoolConstants{rcsd::kKInMm, rcsd::kKOutMm});
      });
  return shape;
}

CellParams DeriveRcsdCell(const CellTemplate& cell, const RcsdShape& shape,
                          const OpsinParams& opsin, double dt_ms, double v_init_mv) {
  const StepConstants k = MakeStepConstants(dt_ms);
  CellParams out;
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
  auto calcium = [&](const Section& s, int base, int decay, int alpha, int inverse_k_ca) {
    p[base + decay] = 1.0 - ScalarExp(-dt_ms * s.f_ca * s.k_ca);
    p[base + alpha] = s.alpha_ca;
    p[base + inverse_k_ca] = 1.0 / s.k_ca;
  };
  auto own_pool = [&](int base, const PoolConstants& c) {
    if (!shape.own_membrane) return;
    p[base + PoolParam::kFraction] = 1.0 - ScalarExp(-dt_ms * c.rate_per_ms);
    p[base + PoolParam::kDrive] = 1e4 / (2.0 * rcsd::kFaraday * c.shell_depth_um * c.rate_per_ms);
    p[base + PoolParam::kIn] = c.in_mm;
    p[base + PoolParam::kOut] = c.out_mm;
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
    calcium(soma, 0, P::kCaDecay, P::kAlpha, P::kInverseKCa);
    p[P::kGKca] = soma.gmax_kca_s_cm2;
    p[P::kGCan] = soma.gmax_can_s_cm2;
    p[P::kGKa] = soma.gmax_ka_s_cm2;
    p[P::kThreshold] = cell.threshold_mv;
    own_pool(shape.sodium_pool(0), soma.sodium);
    own_pool(shape.potassium_pool(0), soma.potassium);
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
        calcium(s, base, P::kCaDecay, P::kAlpha, P::kInverseKCa);
        p[base + P::kGKca] = s.gmax_kca_s_cm2;
        p[base + P::kGCan] = s.gmax_can_s_cm2;
        p[base + P::kGCal] = s.gmax_cal_s_cm2;
        own_pool(shape.potassium_pool(1 + segment), s.potassium);
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
      own_pool(shape.sodium_pool(shape.axon_compartment(axon)), s.sodium);
      own_pool(shape.potassium_pool(shape.axon_compartment(axon)), s.potassium);
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
  ForEachCurrents(shape, tile.data(), state.data(), cell.hold_mv, [&](int base, const Currents& c) {
    static_assert(SomaParam::kPin == int{DendParam::kPin} &&
                  SomaParam::kPin == int{AxonParam::kPin});
    p[base + SomaParam::kPin] = -Lane0(c.total);
  });
  spread();
  SetSteady(shape, k, v_init_mv, state.data());
  ForEachCurrents(shape, tile.data(), state.data(), v_init_mv, [&](int base, const Currents& c) {
    if (base == 0) p[SomaParam::kIRest] = Lane0(c.ca);
    if (base > 0 && base < shape.axon_param(0)) {
      p[base + DendParam::kIRest] = Lane0(c.ca);
    }
  });
  if (shape.has_opsin) {
    const OpsinRates dark = OpsinRatesAt(opsin, 0.0);
    state[(shape.opsin_state() + OpsinState::kGa) * kTileLanes] = dark.ga;
    state[(shape.opsin_state() + OpsinState::kGr) * kTileLanes] = dark.gr;
  }
  out.initial_state.resize(shape.spikes_state());
  for (int i = 0; i < shape.spikes_state(); ++i) out.initial_state[i] = state[i * kTileLanes];
  return out;
}

}  // namespace livnd::sim
