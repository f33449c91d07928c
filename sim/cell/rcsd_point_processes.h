// What acts on a cell's compartments from outside its membrane: noise, synapses, the opsin; and how
// synapses learn from the voltage. A tile at a time. Internal to sim/cell.
//
// Sources: livn 2.0.0 models/rcsd/neuron/mechanisms (Gfluct3, lin_exp2syn and its kin, RhO3c).
#if defined(LIVND_SIM_CELL_RCSD_POINT_PROCESSES_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LIVND_SIM_CELL_RCSD_POINT_PROCESSES_H_
#undef LIVND_SIM_CELL_RCSD_POINT_PROCESSES_H_
#else
#define LIVND_SIM_CELL_RCSD_POINT_PROCESSES_H_
#endif

#include <array>

#include "sim/cell/rcsd_constants.h"
#include "sim/cell/rcsd_kernel.h"
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
using simd::Set;
using simd::Store;
using simd::Vec;

// A tile is stepped whole, phase by phase and in each phase vector by vector, so that the long chains
// of one vector's divisions overlap with another's.
inline constexpr int kVectors = kTileLanes / simd::kLanes;
// Most compartments that a cell has: soma, three of the dendrite, five of the axon.
inline constexpr int kMaxCompartments = 9;
using Compartments = std::array<std::array<Vec, kVectors>, kMaxCompartments>;

// At V_k: the voltage, and the net outward current density (mA/cm2) with its secant slope (S/cm2).
struct HalfStep {
  Compartments v, total, slope;
};

HWY_INLINE Vec Variable(const TileStep& step, int i, int h) {
  return Load(step.state + i * kTileLanes + h * simd::kLanes);
}
HWY_INLINE Vec Param(const TileStep& step, int i, int h) {
  return Load(step.params + i * kTileLanes + h * simd::kLanes);
}
HWY_INLINE void Put(const TileStep& step, int i, int h, Vec x) {
  Store(x, step.state + i * kTileLanes + h * simd::kLanes);
}

HWY_INLINE void AddNoise(const RcsdGroupParams& group, const TileStep& step, HalfStep& s) {
  const NoiseParams& n = group.noise;
  struct Term {
    bool on;
    int variable, compartment;
    double g0, reversal, decay, amp;
  };
  const RcsdShape& shape = group.shape;
  const bool renshaw = shape.kind == CellKind::kRenshaw;
  const int dend = 1 + shape.num_dend / 2;
  const Term terms[2] = {
      {n.excitatory_on, renshaw ? 0 : 1, renshaw ? 0 : dend, n.g_e0, n.reversal_e_mv, n.decay_e,
       n.amp_e},
      {n.inhibitory_on, renshaw ? 1 : 0, 0, n.g_i0, n.reversal_i_mv, n.decay_i, n.amp_i}};
  for (const Term& t : terms) {
    if (!t.on) continue;
    const int at = shape.noise_state(t.variable);
    const int c = t.compartment;
    for (int h = 0; h < kVectors; ++h) {
      Vec y = Variable(step, at, h);
      if (step.normals != nullptr) {
        const Vec z = Load(step.normals + t.variable * kTileLanes + h * simd::kLanes);
        y = simd::Select(z <= z, Fma(y, Set(t.decay), t.amp * z), y);
        Put(step, at, h, y);
      }
      const Vec g = Max(Set(0.0), t.g0 + y) * Param(step, shape.per_area_param(c), h);
      s.total[c][h] = Fma(g, s.v[c][h] - t.reversal, s.total[c][h]);
      s.slope[c][h] = s.slope[c][h] + g;
    }
  }
}

HWY_INLINE void AddSynapses(const RcsdGroupParams& group, const TileStep& step, HalfStep& s) {
  const RcsdShape& shape = group.shape;
  for (const SynapseSlot& slot : group.slots) {
    const int c = slot.compartment;
    for (int h = 0; h < kVectors; ++h) {
      const Vec a = Variable(step, slot.state, h);
      const Vec b = Variable(step, slot.state + 1, h);
      const Vec g = (b - a) * Param(step, shape.per_area_param(c), h);
      const Vec driving = s.v[c][h] - slot.reversal_mv;
      if (slot.mg_over_kd == 0.0) {
        s.total[c][h] = Fma(g, driving, s.total[c][h]);
        s.slope[c][h] = s.slope[c][h] + g;
      } else {
        const Vec e = Exp((s.v[c][h] + slot.vshift_mv) * -slot.gamma_per_mv) * slot.mg_over_kd;
        const Vec at_v = g * driving / (1.0 + e);
        const Vec beside = g * (driving + rcsd::kSecantMv) / (1.0 + e * slot.secant_factor);
        s.total[c][h] = s.total[c][h] + at_v;
        s.slope[c][h] = s.slope[c][h] + (beside - at_v) * (1.0 / rcsd::kSecantMv);
      }
      Put(step, slot.state, h, a * slot.decay_rise);
      Put(step, slot.state + 1, h, b * slot.decay_decay);
    }
  }
}

// The opsin's current at V_k with its secant.
HWY_INLINE void AddOpsin(const RcsdGroupParams& group, const TileStep& step, HalfStep& s) {
  const RcsdShape& shape = group.shape;
  const OpsinConstants& o = group.opsin_step;
  for (int h = 0; h < kVectors; ++h) {
    const Vec e = Exp((s.v[0][h] - o.reversal_mv) * -o.inverse_v0);
    const Vec g = Variable(step, shape.opsin_state() + OpsinState::kOpen, h) * o.unit_na *
                  Param(step, SomaParam::kPerArea, h);
    const Vec at_v = g * (1.0 - e);
    const Vec beside = g * (1.0 - e * o.secant_factor);
    s.total[0][h] = s.total[0][h] + at_v;
    s.slope[0][h] = s.slope[0][h] + (beside - at_v) * (1.0 / rcsd::kSecantMv);
  }
}

// Backward Euler of the three states, at the light of this step.
inline void UpdateOpsin(const RcsdGroupParams& group, const TileStep& step) {
  const RcsdShape& shape = group.shape;
  const int at = shape.opsin_state();
  const double dt = group.step.dt_ms;
  const double gd = group.opsin_step.gd * dt;
  for (int h = 0; h < kVectors; ++h) {
    const Vec ga = Variable(step, at + OpsinState::kGa, h) * dt;
    const Vec gr = Variable(step, at + OpsinState::kGr, h) * dt;
    const Vec open = Variable(step, at + OpsinState::kOpen, h) + ga;
    const Vec desensitised = Variable(step, at + OpsinState::kDesensitised, h);
    // (1 + ga + gd) o + ga d = open; (1 + gr) d - gd o = desensitised.
    const Vec a = 1.0 + ga + gd;
    const Vec d = 1.0 + gr;
    const Vec inverse = 1.0 / Fma(a, d, ga * gd);
    Put(step, at + OpsinState::kOpen, h, Fma(d, open, -(ga * desensitised)) * inverse);
    Put(step, at + OpsinState::kDesensitised, h, Fma(a, desensitised, gd * open) * inverse);
  }
}

// S(v; half) where the voltage is beyond theta, else 0.
inline Vec Beyond(const PlasticityRule& r, Vec v, double theta, double half, double log_slope) {
  const Mask on = r.inhibitory ? v < Set(theta) : v > Set(theta);
  return simd::Select(on, 1.0 / (1.0 + Exp((v - half) * -log_slope)), Set(0.0));
}
// What one evaluation at v adds to the learning signal.
inline Vec Learned(const LearningSlot& slot, Vec v) {
  const PlasticityRule& r = slot.rule;
  const Vec ltd = Beyond(r, v, r.theta_ltd_mv, r.ltd_half_mv, slot.log_slope);
  const Vec ltp = Beyond(r, v, r.theta_ltp_mv, r.ltp_half_mv, slot.log_slope);
  const Vec x = (2.0 * r.a_ltp * ltp - r.a_ltd * ltd) * (1.0 / r.learning_tau);
  return (2.0 / (1.0 + Exp(x * -slot.log_slope)) - 1.0) * (1.0 / 5000.0);
}
// The signal gathers at both evaluations of the secant, decays, and is integrated.
inline void Learn(const RcsdGroupParams& group, const TileStep& step, const HalfStep& s) {
  for (const LearningSlot& slot : group.learning) {
    for (int h = 0; h < kVectors; ++h) {
      const Vec on = Load(step.learning + h * simd::kLanes);
      const Vec at = s.v[slot.compartment][h];
      const Vec gathered = Learned(slot, at + rcsd::kSecantMv) + Learned(slot, at);
      const Vec signal = Fma(on, gathered, Variable(step, slot.state, h)) * slot.decay;
      Put(step, slot.state, h, signal);
      Put(step, slot.state + 1, h,
          Fma(signal, Set(group.step.dt_ms), Variable(step, slot.state + 1, h)));
    }
  }
}

}  // namespace livnd::sim::HWY_NAMESPACE::rcsd
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
