// What acts on a cell's compartments from outside its membrane: noise, synapses, the opsin; and how
// synapses learn from the voltage. A tile at a time. Internal to sim/cell.
//
// Sources: livn 2.0.0 models/rcsd/neuron/mechanisms (Gfluct3, lin_exp2syn and its kin, RhO3c).
#if defined(LIVND_SIM_CELL_RCSD_RCSD_POINT_PROCESSES_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LIVND_SIM_CELL_RCSD_RCSD_POINT_PROCESSES_H_
#undef LIVND_SIM_CELL_RCSD_RCSD_POINT_PROCESSES_H_
#else
#define LIVND_SIM_CELL_RCSD_RCSD_POINT_PROCESSES_H_
#endif

#include <array>

#include "sim/cell/rcsd/rcsd_constants.h"
#include "sim/cell/rcsd/rcsd_kernel.h"
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

using Compartments = std::array<Vec, kMaxCompartments>;

// One vector of cells: the unit that is stepped.
struct Cells {
  int64_t tile = 0;
  int lane = 0;  // the first, in its tile
  const double* params = nullptr;
  double* state = nullptr;
  double* scratch = nullptr;

  Cells() = default;
  HWY_INLINE Cells(const TileBatch& batch, int of_tile, int vector, int num_params, int num_scratch)
      : tile(of_tile), lane(vector * simd::kLanes) {
    params = batch.params + int64_t{batch.param_tile[tile]} * num_params * kTileLanes + lane;
    state = In(batch.state, batch.num_variables);
    scratch = In(batch.scratch, num_scratch);
  }
  // The cells' first row in an array of the batch that holds so many of a tile. Not for null.
  template <class Double>
  HWY_INLINE Double* In(Double* rows, int num_rows) const {
    return rows + tile * num_rows * kTileLanes + lane;
  }

  HWY_INLINE Vec Param(int i) const { return Load(params + i * kTileLanes); }
  HWY_INLINE Vec Variable(int i) const { return Load(state + i * kTileLanes); }
  HWY_INLINE void Put(int i, Vec x) const { Store(x, state + i * kTileLanes); }
  HWY_INLINE Vec Kept(int i) const { return Load(scratch + i * kTileLanes); }
  HWY_INLINE void Keep(int i, Vec x) const { Store(x, scratch + i * kTileLanes); }
};

// At V_k: the voltage, and the net outward current density (mA/cm2) with its secant slope (S/cm2).
struct HalfStep {
  Compartments v, total, slope;
};

// One Ornstein-Uhlenbeck conductance on a compartment. normals: null for no noise.
template <class Shape>
HWY_INLINE void AddNoiseTo(int c, int i, double g0, double reversal_mv, double decay, double amp,
                           const double* normals, const Cells& cells, HalfStep& s) {
  const int variable = Shape::kShape.noise_state(i);
  Vec y = cells.Variable(variable);
  if (normals != nullptr) {
    const Vec z = Load(normals + i * kTileLanes);
    y = simd::Select(z <= z, Fma(y, Set(decay), amp * z), y);
    cells.Put(variable, y);
  }
  const Vec g = Max(Set(0.0), g0 + y) * cells.Param(Shape::kShape.per_area_param(c));
  s.total[c] = Fma(g, s.v[c] - reversal_mv, s.total[c]);
  s.slope[c] = s.slope[c] + g;
}
// A motoneuron's dendrite is excited and its soma inhibited, a Renshaw cell's soma both.
template <class Shape>
HWY_INLINE void AddNoise(const NoiseParams& n, const TileBatch& batch, const Cells& cells,
                         HalfStep& s) {
  constexpr bool kRenshaw = Shape::kShape.kind == CellKind::kRenshaw;
  constexpr int kExcited = kRenshaw ? 0 : 1 + Shape::kShape.num_dend / 2;
  const double* normals = batch.normals == nullptr ? nullptr : cells.In(batch.normals, 2);
  if (n.excitatory_on) {
    AddNoiseTo<Shape>(kExcited, kRenshaw ? 0 : 1, n.g_e0, n.reversal_e_mv, n.decay_e, n.amp_e,
                      normals, cells, s);
  }
  if (n.inhibitory_on) {
    AddNoiseTo<Shape>(0, kRenshaw ? 1 : 0, n.g_i0, n.reversal_i_mv, n.decay_i, n.amp_i, normals,
                      cells, s);
  }
}

HWY_INLINE void AddSynapses(const RcsdGroupParams& group, const Cells& cells, HalfStep& s) {
  for (const SynapseSlot& slot : group.slots) {
    const int c = slot.compartment;
    const Vec reversal = Set(slot.reversal_mv);
    const Vec rise = Set(slot.decay_rise), decay = Set(slot.decay_decay);
    const bool blocked = slot.block.mg_over_kd != 0.0;
    const Vec a = cells.Variable(slot.state);
    const Vec b = cells.Variable(slot.state + 1);
    cells.Put(slot.state, a * rise);
    cells.Put(slot.state + 1, b * decay);
    const Vec g = (b - a) * cells.Param(slot.per_area_param);
    const Vec driving = s.v[c] - reversal;
    if (!blocked) {
      s.total[c] = Fma(g, driving, s.total[c]);
      s.slope[c] = s.slope[c] + g;
    } else if (slot.block_function >= 0) {
      // B(V) is kept since the last step; its secant over d follows from it: with k = 1 - exp(-gamma d)
      // and x = k (1 - B), B(V + d) - B(V) = k B (1 - B) / (1 - x).
      const Vec block = cells.Kept(slot.block_function);
      const Vec free = 1.0 - block;
      const Vec x = free * slot.secant_loss;
      const Vec series = 1.0 + Fma(Fma(x, x, x), x, x);
      const Vec secant = block * free * series * (slot.secant_loss / kSecantMv);
      s.total[c] = Fma(g * driving, block, s.total[c]);
      s.slope[c] = Fma(g, Fma(secant, driving + kSecantMv, block), s.slope[c]);
    } else {
      const Vec e =
          Exp((s.v[c] + slot.block.vshift_mv) * -slot.block.gamma_per_mv) * slot.block.mg_over_kd;
      const Vec at_v = g * driving / (1.0 + e);
      const Vec beside = g * (driving + kSecantMv) / (1.0 + e * slot.secant_factor);
      s.total[c] = s.total[c] + at_v;
      s.slope[c] = s.slope[c] + (beside - at_v) * (1.0 / kSecantMv);
    }
  }
}

// The opsin's current at V_k with its secant.
HWY_INLINE void AddOpsin(const RcsdGroupParams& group, const Cells& cells, HalfStep& s) {
  const RcsdShape& shape = group.shape;
  const OpsinConstants& o = group.opsin_step;
  const Vec e = Exp((s.v[0] - o.reversal_mv) * -o.inverse_v0);
  const Vec g = cells.Variable(shape.opsin_state() + OpsinState::kOpen) * o.unit_na *
                cells.Param(SomaParam::kPerArea);
  const Vec at_v = g * (1.0 - e);
  const Vec beside = g * (1.0 - e * o.secant_factor);
  s.total[0] = s.total[0] + at_v;
  s.slope[0] = s.slope[0] + (beside - at_v) * (1.0 / kSecantMv);
}

// Backward Euler of the three states, at the light of this step.
inline void UpdateOpsin(const RcsdGroupParams& group, Cells cells) {
  const RcsdShape& shape = group.shape;
  const int at = shape.opsin_state();
  const double dt = group.step.dt_ms;
  const double gd = group.opsin_step.gd * dt;
  const Vec ga = cells.Variable(at + OpsinState::kGa) * dt;
  const Vec gr = cells.Variable(at + OpsinState::kGr) * dt;
  const Vec open = cells.Variable(at + OpsinState::kOpen) + ga;
  const Vec desensitised = cells.Variable(at + OpsinState::kDesensitised);
  // (1 + ga + gd) o + ga d = open; (1 + gr) d - gd o = desensitised.
  const Vec a = 1.0 + ga + gd;
  const Vec d = 1.0 + gr;
  const Vec inverse = 1.0 / Fma(a, d, ga * gd);
  cells.Put(at + OpsinState::kOpen, Fma(d, open, -(ga * desensitised)) * inverse);
  cells.Put(at + OpsinState::kDesensitised, Fma(a, desensitised, gd * open) * inverse);
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
inline void Learn(const RcsdGroupParams& group, const TileBatch& batch, Cells cells,
                  Compartments v) {
  const Vec on = Load(cells.In(batch.learning, 1));
  for (const LearningSlot& slot : group.learning) {
    const Vec at = v[slot.compartment];
    const Vec gathered =
        Gathers(slot.rule, at) ? Learned(slot, at + kSecantMv) + Learned(slot, at) : Set(0.0);
    const Vec signal = Fma(on, gathered, cells.Variable(slot.state)) * slot.decay;
    cells.Put(slot.state, signal);
    cells.Put(slot.state + 1, Fma(signal, Set(group.step.dt_ms), cells.Variable(slot.state + 1)));
  }
}

}  // namespace livnd::sim::HWY_NAMESPACE::rcsd
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
