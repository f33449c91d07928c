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

// Most compartments that a cell has: soma, three of the dendrite, five of the axon.
inline constexpr int kMaxCompartments = 9;

// Vectors of a whole tile.
inline constexpr int kTileVectors = kTileLanes / simd::kLanes;

// The first vectors of a tile, which are stepped together, phase by phase and in each phase vector by
// vector.
template <int kNumVectors>
struct TileVectors {
  static constexpr int kNum = kNumVectors;
  // [compartment][vector]
  using Compartments = std::array<std::array<Vec, kNum>, kMaxCompartments>;

  // Where a vector's first lane lies; a null array stays null.
  struct Place {
    const double* params;
    double* state;
    double* scratch;
    const double* normals;
    const double* drive;
    const double* learning;
    double* membrane_current;

    HWY_INLINE Vec Param(int i) const { return Load(params + i * kTileLanes); }
    HWY_INLINE Vec Variable(int i) const { return Load(state + i * kTileLanes); }
    HWY_INLINE void Put(int i, Vec x) const { Store(x, state + i * kTileLanes); }
    HWY_INLINE Vec Kept(int i) const { return Load(scratch + i * kTileLanes); }
    HWY_INLINE void Keep(int i, Vec x) const { Store(x, scratch + i * kTileLanes); }
  };
  Place place[kNum];

  HWY_INLINE explicit TileVectors(const TileStep& step) {
    for (int h = 0; h < kNum; ++h) {
      const int lane = h * simd::kLanes;
      const auto at = [lane](auto* p) { return p == nullptr ? p : p + lane; };
      place[h] = {at(step.params), at(step.state),    at(step.scratch),         at(step.normals),
                  at(step.drive),  at(step.learning), at(step.membrane_current)};
    }
  }

  // At V_k: the voltage, and the net outward current density (mA/cm2) with its secant slope (S/cm2).
  struct HalfStep {
    Compartments v, total, slope;
  };
};

// One Ornstein-Uhlenbeck conductance on a compartment.
template <class Shape, class V>
HWY_INLINE void AddNoiseTo(int c, int i, double g0, double reversal_mv, double decay, double amp,
                           const V& at, typename V::HalfStep& s) {
  const int variable = Shape::kShape.noise_state(i);
  for (int h = 0; h < V::kNum; ++h) {
    const typename V::Place& p = at.place[h];
    Vec y = p.Variable(variable);
    if (p.normals != nullptr) {
      const Vec z = Load(p.normals + i * kTileLanes);
      y = simd::Select(z <= z, Fma(y, Set(decay), amp * z), y);
      p.Put(variable, y);
    }
    const Vec g = Max(Set(0.0), g0 + y) * p.Param(Shape::kShape.per_area_param(c));
    s.total[c][h] = Fma(g, s.v[c][h] - reversal_mv, s.total[c][h]);
    s.slope[c][h] = s.slope[c][h] + g;
  }
}
// A motoneuron's dendrite is excited and its soma inhibited, a Renshaw cell's soma both.
template <class Shape, class V>
HWY_INLINE void AddNoise(const NoiseParams& n, const V& at, typename V::HalfStep& s) {
  constexpr bool kRenshaw = Shape::kShape.kind == CellKind::kRenshaw;
  constexpr int kExcited = kRenshaw ? 0 : 1 + Shape::kShape.num_dend / 2;
  if (n.excitatory_on) {
    AddNoiseTo<Shape>(kExcited, kRenshaw ? 0 : 1, n.g_e0, n.reversal_e_mv, n.decay_e, n.amp_e, at,
                      s);
  }
  if (n.inhibitory_on) {
    AddNoiseTo<Shape>(0, kRenshaw ? 1 : 0, n.g_i0, n.reversal_i_mv, n.decay_i, n.amp_i, at, s);
  }
}

template <class V>
HWY_INLINE void AddSynapses(const RcsdGroupParams& group, const V& at, typename V::HalfStep& s) {
  for (const SynapseSlot& slot : group.slots) {
    const int c = slot.compartment;
    const Vec reversal = Set(slot.reversal_mv);
    const Vec rise = Set(slot.decay_rise), decay = Set(slot.decay_decay);
    const bool blocked = slot.block.mg_over_kd != 0.0;
    for (int h = 0; h < V::kNum; ++h) {
      const typename V::Place& p = at.place[h];
      const Vec a = p.Variable(slot.state);
      const Vec b = p.Variable(slot.state + 1);
      p.Put(slot.state, a * rise);
      p.Put(slot.state + 1, b * decay);
      const Vec g = (b - a) * p.Param(slot.per_area_param);
      const Vec driving = s.v[c][h] - reversal;
      if (!blocked) {
        s.total[c][h] = Fma(g, driving, s.total[c][h]);
        s.slope[c][h] = s.slope[c][h] + g;
      } else if (slot.block_function >= 0) {
        // B(V) is kept since the last step; its secant over d follows from it: with k = 1 - exp(-gamma d)
        // and x = k (1 - B), B(V + d) - B(V) = k B (1 - B) / (1 - x).
        const Vec block = p.Kept(slot.block_function);
        const Vec free = 1.0 - block;
        const Vec x = free * slot.secant_loss;
        const Vec series = 1.0 + Fma(Fma(x, x, x), x, x);
        const Vec secant = block * free * series * (slot.secant_loss / kSecantMv);
        s.total[c][h] = Fma(g * driving, block, s.total[c][h]);
        s.slope[c][h] = Fma(g, Fma(secant, driving + kSecantMv, block), s.slope[c][h]);
      } else {
        const Vec e = Exp((s.v[c][h] + slot.block.vshift_mv) * -slot.block.gamma_per_mv) *
                      slot.block.mg_over_kd;
        const Vec at_v = g * driving / (1.0 + e);
        const Vec beside = g * (driving + kSecantMv) / (1.0 + e * slot.secant_factor);
        s.total[c][h] = s.total[c][h] + at_v;
        s.slope[c][h] = s.slope[c][h] + (beside - at_v) * (1.0 / kSecantMv);
      }
    }
  }
}

// The opsin's current at V_k with its secant.
template <class V>
HWY_INLINE void AddOpsin(const RcsdGroupParams& group, const V& vectors, typename V::HalfStep& s) {
  const RcsdShape& shape = group.shape;
  const OpsinConstants& o = group.opsin_step;
  for (int h = 0; h < V::kNum; ++h) {
    const typename V::Place& p = vectors.place[h];
    const Vec e = Exp((s.v[0][h] - o.reversal_mv) * -o.inverse_v0);
    const Vec g = p.Variable(shape.opsin_state() + OpsinState::kOpen) * o.unit_na *
                  p.Param(SomaParam::kPerArea);
    const Vec at_v = g * (1.0 - e);
    const Vec beside = g * (1.0 - e * o.secant_factor);
    s.total[0][h] = s.total[0][h] + at_v;
    s.slope[0][h] = s.slope[0][h] + (beside - at_v) * (1.0 / kSecantMv);
  }
}

// Backward Euler of the three states, at the light of this step.
template <class V>
void UpdateOpsin(const RcsdGroupParams& group, const V& vectors) {
  const RcsdShape& shape = group.shape;
  const int at = shape.opsin_state();
  const double dt = group.step.dt_ms;
  const double gd = group.opsin_step.gd * dt;
  for (int h = 0; h < V::kNum; ++h) {
    const typename V::Place& p = vectors.place[h];
    const Vec ga = p.Variable(at + OpsinState::kGa) * dt;
    const Vec gr = p.Variable(at + OpsinState::kGr) * dt;
    const Vec open = p.Variable(at + OpsinState::kOpen) + ga;
    const Vec desensitised = p.Variable(at + OpsinState::kDesensitised);
    // (1 + ga + gd) o + ga d = open; (1 + gr) d - gd o = desensitised.
    const Vec a = 1.0 + ga + gd;
    const Vec d = 1.0 + gr;
    const Vec inverse = 1.0 / Fma(a, d, ga * gd);
    p.Put(at + OpsinState::kOpen, Fma(d, open, -(ga * desensitised)) * inverse);
    p.Put(at + OpsinState::kDesensitised, Fma(a, desensitised, gd * open) * inverse);
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
// Whether some lane gathers anything at all, at v or at the secant's other end.
HWY_INLINE bool Gathers(const PlasticityRule& r, Vec v) {
  const Vec ltd = Set(r.theta_ltd_mv), ltp = Set(r.theta_ltp_mv), other = v + kSecantMv;
  const Mask none = r.inhibitory ? (ltd <= v) & (ltp <= v) : (other <= ltd) & (other <= ltp);
  return !simd::AllTrue(none);
}
// The signal gathers at both evaluations of the secant, decays, and is integrated.
template <class V>
void Learn(const RcsdGroupParams& group, const V& vectors, const typename V::HalfStep& s) {
  for (const LearningSlot& slot : group.learning) {
    for (int h = 0; h < V::kNum; ++h) {
      const typename V::Place& p = vectors.place[h];
      const Vec on = Load(p.learning);
      const Vec at = s.v[slot.compartment][h];
      const Vec gathered =
          Gathers(slot.rule, at) ? Learned(slot, at + kSecantMv) + Learned(slot, at) : Set(0.0);
      const Vec signal = Fma(on, gathered, p.Variable(slot.state)) * slot.decay;
      p.Put(slot.state, signal);
      p.Put(slot.state + 1, Fma(signal, Set(group.step.dt_ms), p.Variable(slot.state + 1)));
    }
  }
}

}  // namespace livnd::sim::HWY_NAMESPACE::rcsd
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
