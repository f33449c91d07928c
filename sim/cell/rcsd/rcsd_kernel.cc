#include "sim/cell/rcsd/rcsd_kernel.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/cell/rcsd/rcsd_kernel.cc"
#include "hwy/foreach_target.h"
// foreach_target.h comes before whatever uses instructions.
#include "sim/cell/rcsd/rcsd_chain.h"
#include "sim/cell/rcsd/rcsd_constants.h"
#include "sim/cell/rcsd/rcsd_functions.h"
#include "sim/cell/rcsd/rcsd_membrane.h"
#include "sim/cell/rcsd/rcsd_point_processes.h"
#include "sim/simd/table.h"
#include "sim/simd/vec.h"

HWY_BEFORE_NAMESPACE();
namespace livnd::sim::HWY_NAMESPACE {
namespace {

using rcsd::Block;
using rcsd::Compartments;
using rcsd::Currents;
using rcsd::Functions;
using rcsd::GroupFunctions;
using rcsd::Path;
using rcsd::Relax;
using rcsd::ReversalPolynomial;
using rcsd::Shape;
using simd::Fma;
using simd::Load;
using simd::Mask;
using simd::Max;
using simd::Set;
using simd::Store;
using simd::TableIndex;
using simd::Vec;
using Tables = RcsdTables;

// One step of one vector of cells of one shape, in short phases over all compartments: inside a phase
// they do not wait for each other, and what the next phase reads is in memory by then. A few vectors
// go through each phase one after the other, which gives the one something to do while the other
// waits.
template <class CellShape>
class CellStep {
  using Chain = rcsd::Chain<CellShape>;

 public:
  // The cells that are meant from here on.
  HWY_INLINE void MoveTo(const RcsdGroupParams& group, const TileBatch& batch, int tile,
                         int vector) {
    group_ = &group;
    batch_ = &batch;
    tables_ = group.tables.get();
    cells_ = rcsd::Cells(batch, tile, vector, kShape.num_params(), kShape.num_functions());
  }

  // The functions of the step before that FindCurrents expects.
  void Prepare() { tables_ == nullptr ? PrepareBy<Path::kExact>() : PrepareBy<Path::kBlended>(); }

  // The phases of a step, in this order. The first gives the lanes that crossed their threshold.
  HWY_INLINE uint32_t DetectSpikes() {
    const Mask above = Variable(SomaState::kV) > Param(SomaParam::kThreshold);
    const Vec was_above = Variable(kShape.above_state());
    cells_.Put(kShape.above_state(), simd::Select(above, Set(1.0), Set(0.0)));
    return simd::Bits(above & (was_above < Set(0.5)));
  }
  // Reversal potentials at the pools' concentrations.
  HWY_INLINE void FindReversals() {
    if (kOwnMembrane || tables_ == nullptr) {
      SodiumReversals<Path::kExact>();
      PotassiumReversals<Path::kExact>();
      return;
    }
    if (!SodiumReversals<Path::kTables>()) {
      Rarely([&]() LIVND_INLINE_LAMBDA { SodiumReversals<Path::kBlended>(); });
    }
    if (!PotassiumReversals<Path::kTables>()) {
      Rarely([&]() LIVND_INLINE_LAMBDA { PotassiumReversals<Path::kBlended>(); });
    }
  }
  HWY_INLINE void FindCurrents() {
    FindIonCurrents();
    rcsd::AddNoise<CellShape>(group_->noise, *batch_, cells_, half_);
    rcsd::AddSynapses(*group_, cells_, half_);
    if (batch_->light) rcsd::AddOpsin(*group_, cells_, half_);
    if (batch_->learning != nullptr) rcsd::Learn(*group_, *batch_, cells_, half_.v);
    if (batch_->membrane_current != nullptr) BeginMembraneCurrents();
    AddDrive();
  }
  HWY_INLINE void Solve() {
    rcsd::SolveChain<CellShape>(cells_, half_, dv_);
    if (batch_->membrane_current != nullptr) EndMembraneCurrents();
  }
  // V_{k+1}, and the pools with the ion currents of the half step.
  HWY_INLINE void UpdateVoltages() {
    UpdatePools();
    if (tables_ != nullptr) {
      MoveVoltages<true>();
    } else {
      MoveVoltages<false>();
    }
  }
  // Gates at V_{k+1}, and what the next step needs to know of it.
  HWY_INLINE void UpdateGates() {
    if (tables_ == nullptr) {
      UpdateGatesBy<Path::kExact>();
    } else if (inside_tables_) {
      UpdateGatesBy<Path::kTables>();
    } else {
      Rarely([&]() LIVND_INLINE_LAMBDA {
        FindIndices();
        UpdateGatesBy<Path::kBlended>();
      });
    }
    if (batch_->light) rcsd::UpdateOpsin(*group_, cells_);
  }

 private:
  static constexpr RcsdShape kShape = CellShape::kShape;
  static constexpr int kNumDend = kShape.num_dend;
  static constexpr int kNumAxon = kShape.num_axon;
  static constexpr bool kOwnMembrane = kShape.own_membrane;
  static constexpr int kSoma = 0;
  static constexpr int kFirstAxon = 1 + kNumDend;
  static constexpr int kN = 1 + kNumDend + kNumAxon;

  HWY_INLINE const StepConstants& k() const { return group_->step; }
  HWY_INLINE Block At(int param, int variable) const {
    return {cells_.params + param * kTileLanes, cells_.state + variable * kTileLanes};
  }
  HWY_INLINE Block Soma() const { return At(0, 0); }
  HWY_INLINE Block Dend(int i) const { return At(kShape.dend_param(i), kShape.dend_state(i)); }
  HWY_INLINE Block Axon(int i) const { return At(kShape.axon_param(i), kShape.axon_state(i)); }
  HWY_INLINE Vec Param(int i) const { return cells_.Param(i); }
  HWY_INLINE Vec Variable(int i) const { return cells_.Variable(i); }
  HWY_INLINE Vec V(int c) const { return Variable(kShape.voltage_state(c)); }
  HWY_INLINE Vec Kept(int i) const { return cells_.Kept(i); }
  HWY_INLINE void Keep(int i, Vec x) const { cells_.Keep(i, x); }

  // Does what is hardly ever done. The compiler would keep for it, on every step, whatever the usual
  // path has loaded and computed; so it is not to know that the states are the same.
  template <class Do>
  HWY_INLINE void Rarely(Do something) {
    double* const known = cells_.state;
    cells_.state = simd::Afresh(known);
    something();
    cells_.state = known;
  }

  // Where a voltage lies in its compartment's table.
  template <int kCompartment>
  HWY_INLINE void FindIndex(Vec v) {
    TableIndex& index = index_[kCompartment];
    if constexpr (kCompartment == kSoma) {
      simd::IndexOf<rcsd::kSomaRow>(tables_->soma.data(), v, index);
    } else if constexpr (kCompartment < kFirstAxon) {
      simd::IndexOf<rcsd::kDendRow>(tables_->dend.data(), v, index);
    } else {
      simd::IndexOf<rcsd::kAxonRow>(tables_->axon.data(), v, index);
    }
  }
  // All voltages; those outside the tables lie anywhere.
  HWY_INLINE void FindIndices() {
    rcsd::Static<0, kN>([&](auto c) LIVND_INLINE_LAMBDA {
      FindIndex<c>(simd::Select(simd::InsideTable(V(c)), V(c), Set(0.0)));
    });
  }

  template <Path kPath>
  void PrepareBy() {
    if constexpr (kPath != Path::kExact) FindIndices();
    const GroupFunctions<kPath> functions(*group_);
    const Vec v_soma = V(kSoma);
    const TableIndex& at = index_[kSoma];
    KeepM3(kSoma, v_soma, functions.SomaSpiking(at, v_soma)[Tables::kMNas]);
    KeepSoma(functions.SomaSlow(at, v_soma), functions.SomaCalcium(at, v_soma));
    for (int c = 1; c < kFirstAxon; ++c) {
      const Vec v = V(c);
      KeepDend(c - 1, functions.DendSlow(index_[c], v), functions.DendCalcium(index_[c], v));
    }
    for (int c = kFirstAxon; c < kN; ++c) {
      const Vec v = V(c);
      KeepM3(c, v, functions.AxonSpiking(index_[c], v)[Tables::kMNas]);
    }
  }

  // The cube of m_inf of Nas at v for the next step; `m` is m_inf with the default half activation and
  // slope.
  HWY_INLINE void KeepM3(int c, Vec v, Vec m) const {
    if (kOwnMembrane) {
      const int half = kShape.param_of(c, SomaParam::kVHalf, -1, AxonParam::kVHalf);
      const int slope = kShape.param_of(c, SomaParam::kInverseSlope, -1, AxonParam::kInverseSlope);
      m = rcsd::SodiumActivation(v, Param(half), Param(slope));
    }
    Keep(c == kSoma ? int{RcsdShape::kSomaM3} : kShape.axon_functions(c - kFirstAxon),
         rcsd::Cube(m));
  }
  HWY_INLINE void KeepSoma(const Functions& slow, const Functions& calcium) const {
    Keep(RcsdShape::kSomaP, calcium[Tables::kPCan]);
    Keep(RcsdShape::kSomaQ, calcium[Tables::kQCan]);
    Keep(RcsdShape::kSomaBlock, slow[Tables::kSomaBlock]);
  }
  HWY_INLINE void KeepDend(int i, const Functions& slow, const Functions& calcium) const {
    const int f = kShape.dend_functions(i);
    Keep(f + RcsdShape::kDendPCan, calcium[Tables::kDendPCan]);
    Keep(f + RcsdShape::kDendQCan, calcium[Tables::kDendQCan]);
    Keep(f + RcsdShape::kDendPCal, calcium[Tables::kPCal]);
    Keep(f + RcsdShape::kDendQCal, calcium[Tables::kQCal]);
    Keep(f + RcsdShape::kDendBlock, slow[Tables::kDendBlock]);
  }

  template <bool kHasSodium, bool kHasCalcium>
  HWY_INLINE void Take(int c, const Currents& i) {
    half_.total[c] = i.total;
    half_.slope[c] = i.slope;
    k_slope_[c] = i.k_slope;
    if constexpr (kHasSodium) {
      na_slope_[c] = i.na_slope;
    }
    if constexpr (kHasCalcium) {
      ca_[c] = i.ca;
      ca_slope_[c] = i.ca_slope;
    }
  }

  // False if kPath is kTables and a pool lies outside its polynomial.
  template <Path kPath>
  HWY_INLINE bool SodiumReversals() {
    ReversalPolynomial<kPath, Tables::Sodium> e(tables_ == nullptr ? nullptr : &tables_->sodium);
    rcsd::Static<0, kN>([&](auto c) LIVND_INLINE_LAMBDA {
      if constexpr (kShape.has_sodium(c)) {
        const Vec u = Variable(kShape.sodium_state(c));
        e_na_[c] =
            kOwnMembrane ? OwnReversal(u, kShape.sodium_pool(c)) : e.At(u, rcsd::ExactSodium);
      }
    });
    return e.inside();
  }
  template <Path kPath>
  HWY_INLINE bool PotassiumReversals() {
    ReversalPolynomial<kPath, Tables::Potassium> e(tables_ == nullptr ? nullptr
                                                                      : &tables_->potassium);
    rcsd::Static<0, kN>([&](auto c) LIVND_INLINE_LAMBDA {
      const Vec u = Variable(kShape.potassium_state(c));
      e_k_[c] =
          kOwnMembrane ? OwnReversal(u, kShape.potassium_pool(c)) : e.At(u, rcsd::ExactPotassium);
    });
    return e.inside();
  }
  // That of a pool with constants of its own, from parameter `pool` on.
  HWY_INLINE Vec OwnReversal(Vec u, int pool) const {
    return rcsd::OwnReversal(u, Param(pool + PoolParam::kOut), Param(pool + PoolParam::kIn));
  }

  HWY_INLINE void FindIonCurrents() {
    const Block b = Soma();
    const Vec v = half_.v[kSoma] = b.S(SomaState::kV);
    Take<true, true>(
        kSoma, rcsd::SomaCurrents<kShape.has_ka()>(
                   b, v, Kept(RcsdShape::kSomaM3),
                   {Kept(RcsdShape::kSomaP), Kept(RcsdShape::kSomaQ)}, e_na_[kSoma], e_k_[kSoma]));
    for (int i = 0; i < kNumDend; ++i) {
      const Block b = Dend(i);
      const Vec v = half_.v[1 + i] = b.S(DendState::kV);
      const int f = kShape.dend_functions(i);
      Take<false, true>(
          1 + i,
          rcsd::DendCurrents(b, v, {Kept(f + RcsdShape::kDendPCan), Kept(f + RcsdShape::kDendQCan)},
                             {Kept(f + RcsdShape::kDendPCal), Kept(f + RcsdShape::kDendQCal)},
                             e_k_[1 + i]));
    }
    for (int i = 0; i < kNumAxon; ++i) {
      const int c = kFirstAxon + i;
      const Block b = Axon(i);
      const Vec v = half_.v[c] = b.S(AxonState::kV);
      Take<true, false>(
          c, rcsd::AxonCurrents(b, v, Kept(kShape.axon_functions(i)), e_na_[c], e_k_[c]));
    }
  }

  // What a field and stimuli drive into the compartments.
  HWY_INLINE void AddDrive() {
    if (batch_->field) {
      for (int c = 0; c < kN; ++c) {
        half_.total[c] = half_.total[c] - Variable(kShape.field_state(c));
      }
    }
    if (batch_->drive != nullptr) {
      const double* drive = cells_.In(batch_->drive, kN);
      for (int c = 0; c < kN; ++c) {
        half_.total[c] = half_.total[c] - Load(drive + c * kTileLanes);
      }
    }
  }

  // At V_k before the drive is added, then with what the half step's change adds.
  HWY_INLINE void BeginMembraneCurrents() {
    double* out = cells_.In(batch_->membrane_current, kN);
    for (int c = 0; c < kN; ++c) Store(half_.total[c], out + c * kTileLanes);
  }
  HWY_INLINE void EndMembraneCurrents() {
    double* out = cells_.In(batch_->membrane_current, kN);
    for (int c = 0; c < kN; ++c) {
      const Vec at_start = Load(out + c * kTileLanes);
      Store(Fma(Param(Chain::Capacitance(c)) + half_.slope[c], dv_[c], at_start),
            out + c * kTileLanes);
    }
  }

  // V_{k+1}, and whether and where it lies in the tables.
  template <bool kHasTables>
  HWY_INLINE void MoveVoltages() {
    Mask inside;
    rcsd::Static<0, kN>([&](auto c) LIVND_INLINE_LAMBDA {
      const Vec v = NextV(c);
      cells_.Put(kShape.voltage_state(c), v);
      if constexpr (kHasTables) {
        FindIndex<c>(v);
        // Not by a maximum, which loses what is not a number.
        inside = c == 0 ? simd::InsideTable(v) : inside & simd::InsideTable(v);
      }
    });
    if constexpr (kHasTables) inside_tables_ = simd::AllTrue(inside);
  }

  HWY_INLINE void UpdatePools() {
    // Of default pools; constants are found once, not behind every store.
    const Vec kept = Set(1.0 - k().pool), gain = Set(k().pool * k().pool_drive);
    // Variable `state`, the ion's current at the half step, and the parameter from which on the
    // cell's own constants lie.
    const auto update = [&](int state, int pool, Vec current) LIVND_INLINE_LAMBDA {
      const Vec u = Variable(state);
      if constexpr (kOwnMembrane) {
        cells_.Put(state, Relax(u, current * Param(pool + PoolParam::kDrive),
                                Param(pool + PoolParam::kFraction)));
      } else {
        cells_.Put(state, Fma(kept, u, current * gain));
      }
    };
    rcsd::Static<0, kN>([&](auto c) LIVND_INLINE_LAMBDA {
      if constexpr (kShape.has_sodium(c)) {
        update(kShape.sodium_state(c), kShape.sodium_pool(c), SodiumHalf(c));
      }
      update(kShape.potassium_state(c), kShape.potassium_pool(c), PotassiumHalf(c));
    });
    UpdateCalcium<SomaState, SomaParam>(Soma(), CalciumHalf(kSoma));
    for (int i = 0; i < kNumDend; ++i) {
      UpdateCalcium<DendState, DendParam>(Dend(i), CalciumHalf(1 + i));
    }
  }

  template <Path kPath>
  HWY_INLINE void UpdateGatesBy() {
    const GroupFunctions<kPath> functions(*group_);
    UpdateSomaGates(functions, index_[kSoma]);
    for (int i = 0; i < kNumDend; ++i) {
      const Block b = Dend(i);
      const Vec v = b.S(DendState::kV);
      const TableIndex& at = index_[1 + i];
      const Functions slow = functions.DendSlow(at, v);
      KeepDend(i, slow, functions.DendCalcium(at, v));
      UpdateCan<DendState>(b, slow[Tables::kDendMCanGain], slow[Tables::kDendHCanGain]);
      UpdateGate<DendState::kMCal>(b, k().cal_m_kept, slow[Tables::kMCalGain]);
    }
    for (int i = 0; i < kNumAxon; ++i) {
      const int c = kFirstAxon + i;
      const Block b = Axon(i);
      const Vec v = b.S(AxonState::kV);
      const Functions spiking = functions.AxonSpiking(index_[c], v);
      KeepM3(c, v, spiking[Tables::kMNas]);
      UpdateSpiking<AxonState>(b, spiking, functions.AxonPotassiumKept(index_[c], v));
    }
  }
  template <Path kPath>
  HWY_INLINE void UpdateSomaGates(const GroupFunctions<kPath>& functions, const TableIndex& at) {
    const Block b = Soma();
    const Vec v = b.S(SomaState::kV);
    const Functions spiking = functions.SomaSpiking(at, v);
    const Functions slow = functions.SomaSlow(at, v);
    const Functions calcium = functions.SomaCalcium(at, v);
    KeepM3(kSoma, v, spiking[Tables::kMNas]);
    KeepSoma(slow, calcium);
    UpdateSpiking<SomaState>(b, spiking, slow[Tables::kNKept]);
    UpdateCan<SomaState>(b, slow[Tables::kMCanGain], slow[Tables::kHCanGain]);
    if constexpr (kShape.has_ka()) {
      UpdateGate<SomaState::kAKa>(b, k().ka_a_kept, calcium[Tables::kAKaGain]);
      UpdateGate<SomaState::kBKa>(b, k().ka_b_kept, calcium[Tables::kBKaGain]);
    }
  }

  HWY_INLINE Vec NextV(int c) const { return Fma(Set(2.0), dv_[c], half_.v[c]); }

  // Ion currents of the half step.
  HWY_INLINE Vec HalfV(int c) const { return half_.v[c] + dv_[c]; }
  HWY_INLINE Vec SodiumHalf(int c) const { return na_slope_[c] * (HalfV(c) - e_na_[c]); }
  HWY_INLINE Vec PotassiumHalf(int c) const { return k_slope_[c] * (HalfV(c) - e_k_[c]); }
  HWY_INLINE Vec CalciumHalf(int c) const { return Fma(ca_slope_[c], dv_[c], ca_[c]); }

  // A gate of a time constant of its own; kept = exp(-dt / tau).
  template <int kGate>
  HWY_INLINE void UpdateGate(const Block& b, double kept, Vec gain) const {
    b.Put(kGate, Fma(Set(kept), b.S(kGate), gain));
  }
  template <class S>
  HWY_INLINE void UpdateSpiking(const Block& b, const Functions& spiking, Vec n_kept) const {
    b.Put(S::kH, Fma(spiking[Tables::kHKept], b.S(S::kH), spiking[Tables::kHGain]));
    b.Put(S::kN, Fma(n_kept, b.S(S::kN), spiking[Tables::kNGain]));
  }
  template <class S>
  HWY_INLINE void UpdateCan(const Block& b, Vec m_gain, Vec h_gain) const {
    UpdateGate<S::kMCan>(b, k().can_m_kept, m_gain);
    UpdateGate<S::kHCan>(b, k().can_h_kept, h_gain);
  }
  template <class S, class P>
  HWY_INLINE void UpdateCalcium(const Block& b, Vec current) const {
    const Vec drive = Max(Set(0.0), b.P(P::kAlpha) * (b.P(P::kIRest) - current));
    const Vec limit = Fma(drive, b.P(P::kInverseKCa), Set(rcsd::kCaInMm));
    b.Put(S::kCai, Relax(b.S(S::kCai), limit, b.P(P::kCaDecay)));
  }

  const RcsdGroupParams* group_ = nullptr;
  const TileBatch* batch_ = nullptr;
  const RcsdTables* tables_ = nullptr;
  rcsd::Cells cells_;
  rcsd::HalfStep half_;
  TableIndex index_[kN];
  bool inside_tables_ = false;  // all of V_{k+1}
  Compartments dv_, e_na_, e_k_;
  Compartments na_slope_, k_slope_, ca_, ca_slope_;
};

// Vectors that go through a step together.
constexpr int kTogether = 2;

// Vectors of a batch that hold cells: less than a whole tile tells in small cultures.
HWY_INLINE int NumVectors(const TileBatch& batch) {
  const int of_last = (batch.lanes_of_last + simd::kLanes - 1) / simd::kLanes;
  return (batch.num_tiles - 1) * rcsd::kTileVectors + of_last;
}

// batch: a copy, which no store can change behind the compiler's back.
template <class CellShape>
void StepAll(const RcsdGroupParams& group, TileBatch batch, uint8_t* crossed) {
  CellStep<CellShape> steps[kTogether];
  std::fill_n(crossed, batch.num_tiles, uint8_t{0});
  const int end = NumVectors(batch);
  for (int first = 0; first < end; first += kTogether) {
    const int num = std::min(kTogether, end - first);
    for (int i = 0; i < num; ++i) {
      const int tile = (first + i) / rcsd::kTileVectors, vector = (first + i) % rcsd::kTileVectors;
      steps[i].MoveTo(group, batch, tile, vector);
      crossed[tile] |= static_cast<uint8_t>(steps[i].DetectSpikes() << (vector * simd::kLanes));
      steps[i].FindReversals();
    }
    for (int i = 0; i < num; ++i) steps[i].FindCurrents();
    for (int i = 0; i < num; ++i) steps[i].Solve();
    for (int i = 0; i < num; ++i) steps[i].UpdateVoltages();
    for (int i = 0; i < num; ++i) steps[i].UpdateGates();
  }
}
template <class CellShape>
void PrepareAll(const RcsdGroupParams& group, const TileBatch& batch, uint8_t*) {
  CellStep<CellShape> step;
  for (int i = 0; i < NumVectors(batch); ++i) {
    step.MoveTo(group, batch, i / rcsd::kTileVectors, i % rcsd::kTileVectors);
    step.Prepare();
  }
}

// Calls fn with the group's shape.
#define LIVND_FOR_SHAPE(fn)                                                            \
  const RcsdShape& shape = group.shape;                                                \
  const int dend = shape.kind == CellKind::kRenshaw ? 0 : shape.num_dend == 3 ? 2 : 1; \
  switch (dend * 4 + (shape.num_axon > 0 ? 2 : 0) + (shape.own_membrane ? 1 : 0)) {    \
    case 0:                                                                            \
      return fn<Shape<0, 0, true, false>>(group, batch, crossed);                      \
    case 1:                                                                            \
      return fn<Shape<0, 0, true, true>>(group, batch, crossed);                       \
    case 2:                                                                            \
      return fn<Shape<0, 5, true, false>>(group, batch, crossed);                      \
    case 3:                                                                            \
      return fn<Shape<0, 5, true, true>>(group, batch, crossed);                       \
    case 4:                                                                            \
      return fn<Shape<1, 0, false, false>>(group, batch, crossed);                     \
    case 5:                                                                            \
      return fn<Shape<1, 0, false, true>>(group, batch, crossed);                      \
    case 6:                                                                            \
      return fn<Shape<1, 5, false, false>>(group, batch, crossed);                     \
    case 7:                                                                            \
      return fn<Shape<1, 5, false, true>>(group, batch, crossed);                      \
    case 8:                                                                            \
      return fn<Shape<3, 0, false, false>>(group, batch, crossed);                     \
    case 9:                                                                            \
      return fn<Shape<3, 0, false, true>>(group, batch, crossed);                      \
    case 10:                                                                           \
      return fn<Shape<3, 5, false, false>>(group, batch, crossed);                     \
    default:                                                                           \
      return fn<Shape<3, 5, false, true>>(group, batch, crossed);                      \
  }

void Step(const RcsdGroupParams& group, const TileBatch& batch, uint8_t* crossed) {
  LIVND_FOR_SHAPE(StepAll)
}
void Prepare(const RcsdGroupParams& group, const TileBatch& batch) {
  uint8_t* crossed = nullptr;
  LIVND_FOR_SHAPE(PrepareAll)
}
#undef LIVND_FOR_SHAPE

}  // namespace
}  // namespace livnd::sim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace livnd::sim {

HWY_EXPORT(Step);
HWY_EXPORT(Prepare);

void StepRcsdTiles(const RcsdGroupParams& group, const TileBatch& batch, uint8_t* crossed) {
  HWY_DYNAMIC_DISPATCH(Step)(group, batch, crossed);
}

void PrepareRcsdTiles(const RcsdGroupParams& group, const TileBatch& batch) {
  HWY_DYNAMIC_DISPATCH(Prepare)(group, batch);
}

}  // namespace livnd::sim
#endif  // HWY_ONCE
