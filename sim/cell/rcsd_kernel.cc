#include "sim/cell/rcsd_kernel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/cell/rcsd_kernel.cc"
#include "hwy/foreach_target.h"
// foreach_target.h comes before whatever uses instructions.
#include "sim/cell/rcsd_chain.h"
#include "sim/cell/rcsd_constants.h"
#include "sim/cell/rcsd_functions.h"
#include "sim/cell/rcsd_membrane.h"
#include "sim/cell/rcsd_point_processes.h"
#include "sim/simd/table.h"
#include "sim/simd/vec.h"

HWY_BEFORE_NAMESPACE();
namespace livnd::sim::HWY_NAMESPACE {
namespace {

using rcsd::Block;
using rcsd::Currents;
using rcsd::Functions;
using rcsd::GroupFunctions;
using rcsd::Path;
using rcsd::Relax;
using rcsd::ReversalPolynomial;
using rcsd::Shape;
using simd::Fma;
using simd::Mask;
using simd::Max;
using simd::Set;
using simd::Store;
using simd::TableIndex;
using simd::Vec;
using Tables = RcsdTables;

// The first kNumVectors vectors of a tile of one shape. A step is made of short phases over all
// compartments and vectors: inside a phase they do not wait for each other, and what the next phase
// reads is in memory by then.
template <class TileShape, int kNumVectors>
class Tile {
  using Vectors = rcsd::TileVectors<kNumVectors>;
  using Compartments = typename Vectors::Compartments;
  using Chain = rcsd::Chain<TileShape>;

 public:
  HWY_INLINE Tile(const RcsdGroupParams& group, const TileBatch& batch, int tile)
      : group_(group),
        k_(group.step),
        tables_(group.tables.get()),
        batch_(batch),
        at_(TileOf(batch, tile, kShape.num_params(), kShape.num_functions(), kN)) {}

  // Gives the lanes that crossed their threshold.
  HWY_INLINE uint32_t Step() {
    const uint32_t crossed = DetectSpikes();
    FindReversals();
    FindIonCurrents();
    rcsd::AddNoise<TileShape>(group_.noise, at_, half_);
    rcsd::AddSynapses(group_, at_, half_);
    if (batch_.light) rcsd::AddOpsin(group_, at_, half_);
    if (batch_.learning != nullptr) rcsd::Learn(group_, at_, half_);
    rcsd::SolveChain<TileShape>(batch_, at_, half_, dv_);
    if (batch_.membrane_current != nullptr) StoreMembraneCurrents();
    UpdatePools();
    if (tables_ == nullptr) {
      UpdateGates<Path::kExact>();
    } else if (InsideTables()) {
      UpdateGates<Path::kTables>();
    } else {
      UpdateGates<Path::kBlended>();
    }
    if (batch_.light) rcsd::UpdateOpsin(group_, at_);
    return crossed;
  }

  // The functions that FindIonCurrents expects of the step before.
  void Prepare() { tables_ == nullptr ? PrepareBy<Path::kExact>() : PrepareBy<Path::kBlended>(); }

 private:
  static constexpr RcsdShape kShape = TileShape::kShape;
  static constexpr int kVectors = Vectors::kNum;
  static constexpr int kNumDend = kShape.num_dend;
  static constexpr int kNumAxon = kShape.num_axon;
  static constexpr bool kOwnMembrane = kShape.own_membrane;
  static constexpr int kSoma = 0;
  static constexpr int kFirstAxon = 1 + kNumDend;
  static constexpr int kN = 1 + kNumDend + kNumAxon;

  HWY_INLINE Block At(int param, int variable, int h) const {
    return {at_.place[h].params + param * kTileLanes, at_.place[h].state + variable * kTileLanes};
  }
  HWY_INLINE Block Soma(int h) const { return At(0, 0, h); }
  HWY_INLINE Block Dend(int i, int h) const {
    return At(kShape.dend_param(i), kShape.dend_state(i), h);
  }
  HWY_INLINE Block Axon(int i, int h) const {
    return At(kShape.axon_param(i), kShape.axon_state(i), h);
  }
  HWY_INLINE Vec Param(int i, int h) const { return at_.place[h].Param(i); }
  HWY_INLINE Vec Variable(int i, int h) const { return at_.place[h].Variable(i); }
  HWY_INLINE Vec V(int c, int h) const { return Variable(kShape.voltage_state(c), h); }
  HWY_INLINE Vec Kept(int i, int h) const { return at_.place[h].Kept(i); }
  HWY_INLINE void Keep(int i, int h, Vec x) const { at_.place[h].Keep(i, x); }

  // Where the vectors of a phase lie in the tables, [compartment][vector].
  using Indices = TableIndex[kN][kVectors];
  template <Path kPath>
  HWY_INLINE void FindIndices(Indices& index) const {
    for (int h = 0; h < kVectors; ++h) {
      rcsd::IndexAt<kPath, rcsd::kSomaRow>(V(kSoma, h), index[kSoma][h]);
    }
    for (int c = 1; c < kFirstAxon; ++c) {
      for (int h = 0; h < kVectors; ++h) rcsd::IndexAt<kPath, rcsd::kDendRow>(V(c, h), index[c][h]);
    }
    for (int c = kFirstAxon; c < kN; ++c) {
      for (int h = 0; h < kVectors; ++h) rcsd::IndexAt<kPath, rcsd::kAxonRow>(V(c, h), index[c][h]);
    }
  }

  template <Path kPath>
  void PrepareBy() {
    const GroupFunctions<kPath> functions(group_);
    Indices index;
    FindIndices<kPath>(index);
    for (int h = 0; h < kVectors; ++h) {
      const Vec v = V(kSoma, h);
      const TableIndex& at = index[kSoma][h];
      KeepM3(kSoma, h, v, functions.SomaSpiking(at, v)[Tables::kMNas]);
      KeepSoma(h, functions.SomaSlow(at, v), functions.SomaCalcium(at, v));
    }
    for (int c = 1; c < kFirstAxon; ++c) {
      for (int h = 0; h < kVectors; ++h) {
        const Vec v = V(c, h);
        KeepDend(c - 1, h, functions.DendSlow(index[c][h], v),
                 functions.DendCalcium(index[c][h], v));
      }
    }
    for (int c = kFirstAxon; c < kN; ++c) {
      for (int h = 0; h < kVectors; ++h) {
        const Vec v = V(c, h);
        KeepM3(c, h, v, functions.AxonSpiking(index[c][h], v)[Tables::kMNas]);
      }
    }
  }

  // The cube of m_inf of Nas at v for the next step; `m` is m_inf with the default half activation and
  // slope.
  HWY_INLINE void KeepM3(int c, int h, Vec v, Vec m) const {
    if (kOwnMembrane) {
      const int half = kShape.param_of(c, SomaParam::kVHalf, -1, AxonParam::kVHalf);
      const int slope = kShape.param_of(c, SomaParam::kInverseSlope, -1, AxonParam::kInverseSlope);
      m = rcsd::SodiumActivation(v, Param(half, h), Param(slope, h));
    }
    Keep(c == kSoma ? int{RcsdShape::kSomaM3} : kShape.axon_functions(c - kFirstAxon), h,
         rcsd::Cube(m));
  }
  HWY_INLINE void KeepSoma(int h, const Functions& slow, const Functions& calcium) const {
    Keep(RcsdShape::kSomaP, h, calcium[Tables::kPCan]);
    Keep(RcsdShape::kSomaQ, h, calcium[Tables::kQCan]);
    Keep(RcsdShape::kSomaBlock, h, slow[Tables::kSomaBlock]);
  }
  HWY_INLINE void KeepDend(int i, int h, const Functions& slow, const Functions& calcium) const {
    const int f = kShape.dend_functions(i);
    Keep(f + RcsdShape::kDendPCan, h, calcium[Tables::kDendPCan]);
    Keep(f + RcsdShape::kDendQCan, h, calcium[Tables::kDendQCan]);
    Keep(f + RcsdShape::kDendPCal, h, calcium[Tables::kPCal]);
    Keep(f + RcsdShape::kDendQCal, h, calcium[Tables::kQCal]);
    Keep(f + RcsdShape::kDendBlock, h, slow[Tables::kDendBlock]);
  }

  HWY_INLINE uint32_t DetectSpikes() {
    uint32_t crossed = 0;
    for (int h = 0; h < kVectors; ++h) {
      const Mask above = Variable(SomaState::kV, h) > Param(SomaParam::kThreshold, h);
      const Vec was_above = Variable(kShape.above_state(), h);
      at_.place[h].Put(kShape.above_state(), simd::Select(above, Set(1.0), Set(0.0)));
      crossed |= simd::Bits(above & (was_above < Set(0.5))) << (h * simd::kLanes);
    }
    return crossed;
  }

  template <bool kHasSodium, bool kHasCalcium>
  HWY_INLINE void Take(int c, int h, const Currents& i) {
    half_.total[c][h] = i.total;
    half_.slope[c][h] = i.slope;
    k_slope_[c][h] = i.k_slope;
    if constexpr (kHasSodium) {
      na_slope_[c][h] = i.na_slope;
    }
    if constexpr (kHasCalcium) {
      ca_[c][h] = i.ca;
      ca_slope_[c][h] = i.ca_slope;
    }
  }

  // Reversal potentials at the pools' concentrations.
  HWY_INLINE void FindReversals() {
    if (kOwnMembrane || tables_ == nullptr) {
      SodiumReversals<Path::kExact>();
      PotassiumReversals<Path::kExact>();
      return;
    }
    if (!SodiumReversals<Path::kTables>()) SodiumReversals<Path::kBlended>();
    if (!PotassiumReversals<Path::kTables>()) PotassiumReversals<Path::kBlended>();
  }
  // False if kPath is kTables and a pool lies outside its polynomial.
  template <Path kPath>
  HWY_INLINE bool SodiumReversals() {
    ReversalPolynomial<kPath, Tables::Sodium> e(tables_ == nullptr ? nullptr : &tables_->sodium);
    rcsd::Static<0, kN>([&](auto c) LIVND_INLINE_LAMBDA {
      if constexpr (kShape.has_sodium(c)) {
        for (int h = 0; h < kVectors; ++h) {
          const Vec u = Variable(kShape.sodium_state(c), h);
          e_na_[c][h] =
              kOwnMembrane ? OwnReversal(u, kShape.sodium_pool(c), h) : e.At(u, rcsd::ExactSodium);
        }
      }
    });
    return e.inside();
  }
  template <Path kPath>
  HWY_INLINE bool PotassiumReversals() {
    ReversalPolynomial<kPath, Tables::Potassium> e(tables_ == nullptr ? nullptr
                                                                      : &tables_->potassium);
    rcsd::Static<0, kN>([&](auto c) LIVND_INLINE_LAMBDA {
      for (int h = 0; h < kVectors; ++h) {
        const Vec u = Variable(kShape.potassium_state(c), h);
        e_k_[c][h] = kOwnMembrane ? OwnReversal(u, kShape.potassium_pool(c), h)
                                  : e.At(u, rcsd::ExactPotassium);
      }
    });
    return e.inside();
  }
  // That of a pool with constants of its own, from parameter `pool` on.
  HWY_INLINE Vec OwnReversal(Vec u, int pool, int h) const {
    return rcsd::OwnReversal(u, Param(pool + PoolParam::kOut, h), Param(pool + PoolParam::kIn, h));
  }

  HWY_INLINE void FindIonCurrents() {
    for (int h = 0; h < kVectors; ++h) {
      const Block b = Soma(h);
      const Vec v = half_.v[kSoma][h] = b.S(SomaState::kV);
      Take<true, true>(kSoma, h,
                       rcsd::SomaCurrents<kShape.has_ka()>(
                           b, v, Kept(RcsdShape::kSomaM3, h),
                           {Kept(RcsdShape::kSomaP, h), Kept(RcsdShape::kSomaQ, h)},
                           e_na_[kSoma][h], e_k_[kSoma][h]));
    }
    for (int i = 0; i < kNumDend; ++i) {
      for (int h = 0; h < kVectors; ++h) {
        const Block b = Dend(i, h);
        const Vec v = half_.v[1 + i][h] = b.S(DendState::kV);
        const int f = kShape.dend_functions(i);
        Take<false, true>(
            1 + i, h,
            rcsd::DendCurrents(
                b, v, {Kept(f + RcsdShape::kDendPCan, h), Kept(f + RcsdShape::kDendQCan, h)},
                {Kept(f + RcsdShape::kDendPCal, h), Kept(f + RcsdShape::kDendQCal, h)},
                e_k_[1 + i][h]));
      }
    }
    for (int i = 0; i < kNumAxon; ++i) {
      const int c = kFirstAxon + i;
      for (int h = 0; h < kVectors; ++h) {
        const Block b = Axon(i, h);
        const Vec v = half_.v[c][h] = b.S(AxonState::kV);
        Take<true, false>(
            c, h,
            rcsd::AxonCurrents(b, v, Kept(kShape.axon_functions(i), h), e_na_[c][h], e_k_[c][h]));
      }
    }
  }

  void StoreMembraneCurrents() {
    for (int c = 0; c < kN; ++c) {
      for (int h = 0; h < kVectors; ++h) {
        Store(
            Fma(Param(Chain::Capacitance(c), h) + half_.slope[c][h], dv_[c][h], half_.total[c][h]),
            at_.place[h].membrane_current + c * kTileLanes);
      }
    }
  }

  // V_{k+1}, and the pools with the ion currents of the half step.
  HWY_INLINE void UpdatePools() {
    rcsd::Static<0, kN>([&](auto c) LIVND_INLINE_LAMBDA {
      for (int h = 0; h < kVectors; ++h) {
        at_.place[h].Put(kShape.voltage_state(c), NextV(c, h));
        if constexpr (kShape.has_sodium(c)) {
          UpdatePool(kShape.sodium_state(c), kShape.sodium_pool(c), h, SodiumHalf(c, h));
        }
        UpdatePool(kShape.potassium_state(c), kShape.potassium_pool(c), h, PotassiumHalf(c, h));
      }
    });
    for (int h = 0; h < kVectors; ++h) {
      UpdateCalcium<SomaState, SomaParam>(Soma(h), CalciumHalf(kSoma, h));
      for (int i = 0; i < kNumDend; ++i) {
        UpdateCalcium<DendState, DendParam>(Dend(i, h), CalciumHalf(1 + i, h));
      }
    }
  }

  // Gates at V_{k+1}, and what the next step needs to know of it.
  template <Path kPath>
  HWY_INLINE void UpdateGates() {
    const GroupFunctions<kPath> functions(group_);
    Indices index;
    FindIndices<kPath>(index);
    for (int h = 0; h < kVectors; ++h) {
      const Block b = Soma(h);
      const Vec v = b.S(SomaState::kV);
      const TableIndex& at = index[kSoma][h];
      const Functions spiking = functions.SomaSpiking(at, v);
      const Functions slow = functions.SomaSlow(at, v);
      const Functions calcium = functions.SomaCalcium(at, v);
      KeepM3(kSoma, h, v, spiking[Tables::kMNas]);
      KeepSoma(h, slow, calcium);
      UpdateSpiking<SomaState>(b, spiking, slow[Tables::kNKept]);
      UpdateCan<SomaState>(b, slow[Tables::kMCanGain], slow[Tables::kHCanGain]);
      if constexpr (kShape.has_ka()) {
        UpdateGate<SomaState::kAKa>(b, k_.ka_a, calcium[Tables::kAKaGain]);
        UpdateGate<SomaState::kBKa>(b, k_.ka_b, calcium[Tables::kBKaGain]);
      }
    }
    for (int i = 0; i < kNumDend; ++i) {
      for (int h = 0; h < kVectors; ++h) {
        const Block b = Dend(i, h);
        const Vec v = b.S(DendState::kV);
        const TableIndex& at = index[1 + i][h];
        const Functions slow = functions.DendSlow(at, v);
        KeepDend(i, h, slow, functions.DendCalcium(at, v));
        UpdateCan<DendState>(b, slow[Tables::kDendMCanGain], slow[Tables::kDendHCanGain]);
        UpdateGate<DendState::kMCal>(b, k_.cal_m, slow[Tables::kMCalGain]);
      }
    }
    for (int i = 0; i < kNumAxon; ++i) {
      const int c = kFirstAxon + i;
      for (int h = 0; h < kVectors; ++h) {
        const Block b = Axon(i, h);
        const Vec v = b.S(AxonState::kV);
        const TableIndex& at = index[c][h];
        const Functions spiking = functions.AxonSpiking(at, v);
        KeepM3(c, h, v, spiking[Tables::kMNas]);
        UpdateSpiking<AxonState>(b, spiking, functions.AxonPotassiumKept(at, v));
      }
    }
  }

  // Whether the tables reach all of V_{k+1}.
  HWY_INLINE bool InsideTables() const {
    Mask inside = simd::InsideTable(V(0, 0));  // not by a maximum, which loses what is not a number
    for (int c = 0; c < kN; ++c) {
      for (int h = 0; h < kVectors; ++h) inside = inside & simd::InsideTable(V(c, h));
    }
    return simd::AllTrue(inside);
  }

  HWY_INLINE Vec NextV(int c, int h) const { return Fma(Set(2.0), dv_[c][h], half_.v[c][h]); }

  // Ion currents of the half step.
  HWY_INLINE Vec HalfV(int c, int h) const { return half_.v[c][h] + dv_[c][h]; }
  HWY_INLINE Vec SodiumHalf(int c, int h) const {
    return na_slope_[c][h] * (HalfV(c, h) - e_na_[c][h]);
  }
  HWY_INLINE Vec PotassiumHalf(int c, int h) const {
    return k_slope_[c][h] * (HalfV(c, h) - e_k_[c][h]);
  }
  HWY_INLINE Vec CalciumHalf(int c, int h) const {
    return Fma(ca_slope_[c][h], dv_[c][h], ca_[c][h]);
  }

  // A gate of a time constant of its own; fraction = 1 - exp(-dt / tau).
  template <int kGate>
  HWY_INLINE void UpdateGate(const Block& b, double fraction, Vec gain) const {
    b.Put(kGate, Fma(Set(1.0 - fraction), b.S(kGate), gain));
  }
  template <class S>
  HWY_INLINE void UpdateSpiking(const Block& b, const Functions& spiking, Vec n_kept) const {
    b.Put(S::kH, Fma(spiking[Tables::kHKept], b.S(S::kH), spiking[Tables::kHGain]));
    b.Put(S::kN, Fma(n_kept, b.S(S::kN), spiking[Tables::kNGain]));
  }
  // A sodium or potassium shell: variable `state`, the ion's current at the half step, and the
  // parameter from which on the cell's own constants lie.
  HWY_INLINE void UpdatePool(int state, int pool, int h, Vec current) const {
    const Vec u = Variable(state, h);
    if constexpr (kOwnMembrane) {
      at_.place[h].Put(state, Relax(u, current * Param(pool + PoolParam::kDrive, h),
                                    Param(pool + PoolParam::kFraction, h)));
    } else {
      at_.place[h].Put(state, Fma(Set(1.0 - k_.pool), u, current * (k_.pool * k_.pool_drive)));
    }
  }
  template <class S>
  HWY_INLINE void UpdateCan(const Block& b, Vec m_gain, Vec h_gain) const {
    UpdateGate<S::kMCan>(b, k_.can_m, m_gain);
    UpdateGate<S::kHCan>(b, k_.can_h, h_gain);
  }
  template <class S, class P>
  void UpdateCalcium(const Block& b, Vec current) const {
    const Vec drive = Max(Set(0.0), b.P(P::kAlpha) * (b.P(P::kIRest) - current));
    const Vec limit = Fma(drive, b.P(P::kInverseKCa), Set(rcsd::kCaInMm));
    b.Put(S::kCai, Relax(b.S(S::kCai), limit, b.P(P::kCaDecay)));
  }

  const RcsdGroupParams& group_;
  const StepConstants& k_;
  const RcsdTables* const tables_;
  const TileBatch& batch_;
  Vectors at_;
  typename Vectors::HalfStep half_;
  Compartments dv_, e_na_, e_k_;
  Compartments na_slope_, k_slope_, ca_, ca_slope_;
};

template <class TileShape>
void StepAll(const RcsdGroupParams& group, const TileBatch& batch, uint32_t* crossed) {
  // Half of a tile costs half as much, which tells in small cultures.
  constexpr bool kHalves = rcsd::kTileVectors > 1 && !TileShape::kShape.own_membrane;
  constexpr int kHalf = kHalves ? rcsd::kTileVectors / 2 : rcsd::kTileVectors;
  const int last = batch.num_tiles - 1;
  const bool half = kHalves && batch.lanes_of_last <= kHalf * simd::kLanes;
  for (int t = 0; t < last + (half ? 0 : 1); ++t) {
    crossed[t] = Tile<TileShape, rcsd::kTileVectors>(group, batch, t).Step();
  }
  if (half) crossed[last] = Tile<TileShape, kHalf>(group, batch, last).Step();
}
template <class TileShape>
void PrepareAll(const RcsdGroupParams& group, const TileBatch& batch, uint32_t*) {
  for (int t = 0; t < batch.num_tiles; ++t) {
    Tile<TileShape, rcsd::kTileVectors>(group, batch, t).Prepare();
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

void Step(const RcsdGroupParams& group, const TileBatch& batch, uint32_t* crossed) {
  LIVND_FOR_SHAPE(StepAll)
}
void Prepare(const RcsdGroupParams& group, const TileBatch& batch) {
  uint32_t* crossed = nullptr;
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

void StepRcsdTiles(const RcsdGroupParams& group, const TileBatch& batch, uint32_t* crossed) {
  HWY_DYNAMIC_DISPATCH(Step)(group, batch, crossed);
}

void PrepareRcsdTiles(const RcsdGroupParams& group, const TileBatch& batch) {
  HWY_DYNAMIC_DISPATCH(Prepare)(group, batch);
}

}  // namespace livnd::sim
#endif  // HWY_ONCE
