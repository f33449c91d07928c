#include "sim/cell/rcsd_kernel.h"

#include <array>
#include <type_traits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/cell/rcsd_kernel.cc"
#include "hwy/foreach_target.h"
// foreach_target.h comes before whatever uses instructions.
#include "sim/cell/rcsd_constants.h"
#include "sim/cell/rcsd_membrane.h"
#include "sim/cell/rcsd_point_processes.h"
#include "sim/simd/math.h"
#include "sim/simd/table.h"
#include "sim/simd/vec.h"

HWY_BEFORE_NAMESPACE();
namespace livnd::sim::HWY_NAMESPACE {
namespace {

using rcsd::Block;
using rcsd::Currents;
using rcsd::Functions;
using rcsd::Relax;
using simd::Exp;
using simd::Fma;
using simd::Load;
using simd::Mask;
using simd::Max;
using simd::NegFma;
using simd::Set;
using simd::Store;
using simd::TableIndex;
using simd::Vec;
using Tables = RcsdTables;

// --- functions of voltage and of the pools ------------------------------------------------------------

// What the tables stand for. Out of line: only lanes with extreme voltages come here.
HWY_NOINLINE Functions ExactSpiking(const StepConstants& k, Vec v) {
  return rcsd::SpikingFunctions(k, v);
}
HWY_NOINLINE Functions ExactSlow(const StepConstants& k, Vec v) {
  return rcsd::SlowFunctions(k, v);
}
HWY_NOINLINE Functions ExactCalcium(Vec v) { return rcsd::CalciumFunctions(v); }
HWY_NOINLINE Functions ExactSlowOfDend(const StepConstants& k, const BlockTables* b, Vec v) {
  return b != nullptr ? rcsd::SlowFunctionsOfDend(k, *b, v) : rcsd::SlowFunctions(k, v);
}
HWY_NOINLINE Functions ExactCalciumOfSoma(const BlockTables* b, Vec v) {
  return b != nullptr ? rcsd::CalciumFunctionsOfSoma(*b, v) : rcsd::CalciumFunctions(v);
}
HWY_NOINLINE Functions ExactKa(Vec v) { return rcsd::KaFunctions(v); }
HWY_NOINLINE Vec ExactPotassiumFraction(const StepConstants& k, Vec v) {
  return 1.0 - Exp(-rcsd::SodiumPotassiumSteady(k, v).n_rate);
}
HWY_NOINLINE Vec SodiumReversalSeries(Vec u) { return rcsd::SodiumReversal(u); }
HWY_NOINLINE Vec PotassiumReversalSeries(Vec u) { return rcsd::PotassiumReversal(u); }

// How the functions of voltage and of the pools are found.
enum class Path {
  kTables,   // every lane lies inside the tables
  kBlended,  // lanes outside are computed exactly
  kExact,    // there are no tables
};

// The four functions of a table at v, or what `exact` computes.
template <Path kPath, class Exact>
HWY_INLINE Functions TableFunctions(const std::vector<double>& table, const TableIndex& index,
                                    Vec v, Exact exact) {
  if constexpr (kPath == Path::kExact) return exact();
  Functions f;
  simd::Evaluate(table.data(), index, f.data());
  if constexpr (kPath == Path::kBlended) {
    const Mask inside = simd::InsideTable(v);
    const Functions e = exact();
    for (size_t i = 0; i < f.size(); ++i) f[i] = simd::Select(inside, f[i], e[i]);
  }
  return f;
}

// Where |x| is largest among what the polynomials were asked for.
struct Farthest {
  Vec sodium, potassium;
  HWY_INLINE bool inside() const {
    return simd::AllTrue((sodium < Set(RcsdTables::Sodium::kHalfWidth)) &
                         (potassium < Set(RcsdTables::Potassium::kHalfWidth)));
  }
};

template <Path kPath, class Polynomial, class Exact>
HWY_INLINE Vec ReversalAt(const Polynomial& p, Vec u, Vec& farthest, Exact exact) {
  if constexpr (kPath == Path::kExact) return exact(u);
  const Vec x = u - Polynomial::kMiddle;
  Vec e = Load(p.coefficients[Polynomial::kDegree]);
  for (int d = Polynomial::kDegree - 1; d >= 0; --d) e = Fma(e, x, Load(p.coefficients[d]));
  farthest = Max(farthest, simd::Abs(x));
  if constexpr (kPath == Path::kBlended) {
    return simd::Select(simd::Abs(x) < Set(Polynomial::kHalfWidth), e, exact(u));
  }
  return e;
}

// fn(0), ... with the numbers First .. Last - 1 as constants of the compiler.
template <int kFirst, int kLast, class Fn>
HWY_INLINE void Static(Fn fn) {
  if constexpr (kFirst < kLast) {
    fn(std::integral_constant<int, kFirst>());
    Static<kFirst + 1, kLast>(fn);
  }
}
#define LIVND_INLINE_LAMBDA HWY_ATTR __attribute__((always_inline))

// --- one tile -------------------------------------------------------------------------------------------

template <int kNumDend, int kNumAxon, bool kHasKa, bool kOwnMembrane, int kTiles>
class Tile {
  using Vectors = rcsd::Vectors<kTiles>;
  using Compartments = typename Vectors::Compartments;

 public:
  // Tiles that are stepped at once.
  static constexpr int kNumTiles = kTiles;

  HWY_INLINE Tile(const RcsdGroupParams& group, const TileBatch& batch, int first)
      : group_(group), k_(group.step), tables_(group.tables.get()), batch_(batch) {
    for (int t = 0; t < kTiles; ++t) {
      at_.Set(t, TileOf(batch, first + t, kShape.num_params(), kShape.num_functions(), kN));
    }
  }

  // crossed: [kTiles].
  HWY_INLINE void Step(uint32_t* crossed) {
    DetectSpikes(crossed);
    if (tables_ == nullptr) {
      IonCurrents<Path::kExact>();
    } else if (!IonCurrents<Path::kTables>()) {
      IonCurrents<Path::kBlended>();
    }
    rcsd::AddNoise(group_, at_, half_);
    rcsd::AddSynapses(group_, at_, half_);
    if (batch_.light) rcsd::AddOpsin(group_, at_, half_);
    if (batch_.learning != nullptr) rcsd::Learn(group_, at_, half_);
    const bool inside = Solve();
    if (batch_.membrane_current != nullptr) StoreMembraneCurrents();
    if (tables_ == nullptr) {
      Update<Path::kExact>();
    } else if (inside) {
      Update<Path::kTables>();
    } else {
      Update<Path::kBlended>();
    }
    if (batch_.light) rcsd::UpdateOpsin(group_, at_);
  }

  // The functions that IonCurrents expects of the step before.
  void Prepare() { tables_ == nullptr ? PrepareBy<Path::kExact>() : PrepareBy<Path::kBlended>(); }

 private:
  static constexpr int kVectors = Vectors::kNum;
  static constexpr int kSoma = 0;
  static constexpr int kFirstAxon = 1 + kNumDend;
  static constexpr int kN = 1 + kNumDend + kNumAxon;
  static constexpr RcsdShape MakeShape() {
    RcsdShape shape;
    shape.kind = kHasKa ? CellKind::kRenshaw : CellKind::kMotoneuron;
    shape.num_dend = kNumDend;
    shape.num_axon = kNumAxon;
    shape.own_membrane = kOwnMembrane;
    return shape;  // has_opsin decides nothing that is used here
  }
  static constexpr RcsdShape kShape = MakeShape();

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
  HWY_INLINE Vec Kept(int i, int h) const { return at_.place[h].Kept(i); }
  HWY_INLINE void Keep(int i, int h, Vec x) const { at_.place[h].Keep(i, x); }

  template <Path kPath>
  void PrepareBy() {
    for (int h = 0; h < kVectors; ++h) {
      for (int c = 0; c < kN; ++c) {
        const Vec v = Variable(kShape.voltage_state(c), h);
        const TableIndex index = IndexAt<kPath>(v);
        if (c == kSoma || c >= kFirstAxon) {
          const Vec m = Spiking<kPath>(index, v)[Tables::kMNas];
          StoreM(c, h, v, m);
        }
        if (c == kSoma) {
          StoreSomaCalcium(h, CalciumOfSoma<kPath>(index, v));
        } else if (c < kFirstAxon) {
          StoreDendCalcium(c - 1, h, Calcium<kPath>(index, v));
          StoreDendBlock(c - 1, h, SlowOfDend<kPath>(index, v));
        }
      }
    }
  }

  template <Path kPath>
  HWY_INLINE static TableIndex IndexAt(Vec v) {
    if constexpr (kPath == Path::kExact) return {};
    if constexpr (kPath == Path::kBlended) v = simd::Select(simd::InsideTable(v), v, Set(0.0));
    return simd::IndexOf(v);
  }
  template <Path kPath>
  HWY_INLINE Functions Spiking(const TableIndex& index, Vec v) const {
    return TableFunctions<kPath>(tables_->spiking, index, v,
                                 [&]() HWY_ATTR { return ExactSpiking(k_, v); });
  }
  template <Path kPath>
  HWY_INLINE Functions Slow(const TableIndex& index, Vec v) const {
    return TableFunctions<kPath>(tables_->slow, index, v,
                                 [&]() HWY_ATTR { return ExactSlow(k_, v); });
  }
  template <Path kPath>
  HWY_INLINE Functions Calcium(const TableIndex& index, Vec v) const {
    return TableFunctions<kPath>(tables_->calcium, index, v,
                                 [&]() HWY_ATTR { return ExactCalcium(v); });
  }
  template <Path kPath>
  HWY_INLINE Functions SlowOfDend(const TableIndex& index, Vec v) const {
    const BlockTables* block = group_.block.get();
    return TableFunctions<kPath>(block != nullptr ? block->dend_slow : tables_->slow, index, v,
                                 [&]() HWY_ATTR { return ExactSlowOfDend(k_, block, v); });
  }
  template <Path kPath>
  HWY_INLINE Functions CalciumOfSoma(const TableIndex& index, Vec v) const {
    const BlockTables* block = group_.block.get();
    return TableFunctions<kPath>(block != nullptr ? block->soma_calcium : tables_->calcium, index,
                                 v, [&]() HWY_ATTR { return ExactCalciumOfSoma(block, v); });
  }
  // a_n alone.
  template <Path kPath>
  HWY_INLINE Vec PotassiumFraction(const TableIndex& index, Vec v) const {
    if constexpr (kPath == Path::kExact) return ExactPotassiumFraction(k_, v);
    const Vec a = simd::EvaluateLine(tables_->a_n.data(), index);
    if constexpr (kPath == Path::kTables) return a;
    return simd::Select(simd::InsideTable(v), a, ExactPotassiumFraction(k_, v));
  }
  template <class S, class P, Path kPath>
  HWY_INLINE Vec SodiumReversal(const Block& b, Farthest& farthest) const {
    if constexpr (kOwnMembrane) return rcsd::ExactSodiumReversal<S, P, true>(b);
    return ReversalAt<kPath>(tables_->sodium, b.S(S::kUNa), farthest.sodium, SodiumReversalSeries);
  }
  template <class S, class P, Path kPath>
  HWY_INLINE Vec PotassiumReversal(const Block& b, Farthest& farthest) const {
    if constexpr (kOwnMembrane) return rcsd::ExactPotassiumReversal<S, P, true>(b);
    return ReversalAt<kPath>(tables_->potassium, b.S(S::kUK), farthest.potassium,
                             PotassiumReversalSeries);
  }

  // m_inf of Nas at v for the next step; `m` is that of the default half activation and slope.
  HWY_INLINE void StoreM(int c, int h, Vec v, Vec m) {
    if (kOwnMembrane) {
      const Block b = c == kSoma ? Soma(h) : Axon(c - kFirstAxon, h);
      m = c == kSoma
              ? rcsd::SodiumActivation(v, b.P(SomaParam::kVHalf), b.P(SomaParam::kInverseSlope))
              : rcsd::SodiumActivation(v, b.P(AxonParam::kVHalf), b.P(AxonParam::kInverseSlope));
    }
    Keep(c == kSoma ? int{RcsdShape::kSomaM} : kShape.axon_functions(c - kFirstAxon), h, m);
  }
  HWY_INLINE void StoreSomaCalcium(int h, const Functions& f) {
    Keep(RcsdShape::kSomaP, h, f[Tables::kPCan]);
    Keep(RcsdShape::kSomaQ, h, f[Tables::kQCan]);
    Keep(RcsdShape::kSomaBlock, h, f[BlockTables::kSomaBlock]);
  }
  HWY_INLINE void StoreDendCalcium(int i, int h, const Functions& f) {
    for (int j = 0; j < 4; ++j) {
      Keep(kShape.dend_functions(i) + RcsdShape::kDendPCan + j, h, f[Tables::kPCan + j]);
    }
  }
  HWY_INLINE void StoreDendBlock(int i, int h, const Functions& slow) {
    Keep(kShape.dend_functions(i) + RcsdShape::kDendBlock, h, slow[BlockTables::kDendBlock]);
  }

  HWY_INLINE void DetectSpikes(uint32_t* crossed) {
    for (int t = 0; t < kTiles; ++t) crossed[t] = 0;
    for (int h = 0; h < kVectors; ++h) {
      const Mask above = Variable(SomaState::kV, h) > Param(SomaParam::kThreshold, h);
      const Vec was_above = Variable(kShape.above_state(), h);
      at_.place[h].Put(kShape.above_state(), simd::Select(above, Set(1.0), Set(0.0)));
      crossed[h / Vectors::kPerTile] |= simd::Bits(above & (was_above < Set(0.5)))
                                        << (h % Vectors::kPerTile * simd::kLanes);
    }
  }

  template <bool kHasSodium, bool kHasCalcium>
  HWY_INLINE void Take(int c, int h, const Currents& i) {
    half_.total[c][h] = i.total;
    half_.slope[c][h] = i.slope;
    k_current_[c][h] = i.k;
    k_slope_[c][h] = i.k_slope;
    if constexpr (kHasSodium) {
      na_[c][h] = i.na;
      na_slope_[c][h] = i.na_slope;
    }
    if constexpr (kHasCalcium) {
      ca_[c][h] = i.ca;
      ca_slope_[c][h] = i.ca_slope;
    }
  }

  // False if kPath is kTables and a pool lies outside its polynomial.
  template <Path kPath>
  HWY_INLINE bool IonCurrents() {
    Farthest farthest = {Set(0.0), Set(0.0)};
    for (int h = 0; h < kVectors; ++h) {
      const Block b = Soma(h);
      const Vec v = half_.v[kSoma][h] = b.S(SomaState::kV);
      const Vec e_na = SodiumReversal<SomaState, SomaParam, kPath>(b, farthest);
      const Vec e_k = PotassiumReversal<SomaState, SomaParam, kPath>(b, farthest);
      Take<true, true>(kSoma, h,
                       rcsd::SomaCurrents<kHasKa>(
                           b, v, Kept(RcsdShape::kSomaM, h),
                           {Kept(RcsdShape::kSomaP, h), Kept(RcsdShape::kSomaQ, h)}, e_na, e_k));
    }
    for (int i = 0; i < kNumDend; ++i) {
      for (int h = 0; h < kVectors; ++h) {
        const Block b = Dend(i, h);
        const Vec v = half_.v[1 + i][h] = b.S(DendState::kV);
        const int f = kShape.dend_functions(i);
        const Vec e_k = PotassiumReversal<DendState, DendParam, kPath>(b, farthest);
        Take<false, true>(
            1 + i, h,
            rcsd::DendCurrents(
                b, v, {Kept(f + RcsdShape::kDendPCan, h), Kept(f + RcsdShape::kDendQCan, h)},
                {Kept(f + RcsdShape::kDendPCal, h), Kept(f + RcsdShape::kDendQCal, h)}, e_k));
      }
    }
    for (int i = 0; i < kNumAxon; ++i) {
      for (int h = 0; h < kVectors; ++h) {
        const Block b = Axon(i, h);
        const Vec v = half_.v[kFirstAxon + i][h] = b.S(AxonState::kV);
        const Vec e_na = SodiumReversal<AxonState, AxonParam, kPath>(b, farthest);
        const Vec e_k = PotassiumReversal<AxonState, AxonParam, kPath>(b, farthest);
        Take<true, false>(kFirstAxon + i, h,
                          rcsd::AxonCurrents(b, v, Kept(kShape.axon_functions(i), h), e_na, e_k));
      }
    }
    return kPath != Path::kTables || farthest.inside();
  }

  // The chain from the axon's end to the dendrite's: compartment at each place, and the coupling
  // densities of the junction behind it, seen from either side.
  static constexpr int Chain(int place) {
    return place < kNumAxon    ? kFirstAxon + kNumAxon - 1 - place
           : place == kNumAxon ? kSoma
                               : place - kNumAxon;
  }
  // Parameter of the coupling that a compartment has towards its neighbour.
  static constexpr int Coupling(int c, int neighbour) {
    if (c == kSoma) return neighbour < kFirstAxon ? SomaParam::kGDend : SomaParam::kGAxon;
    if (c < kFirstAxon) {
      return kShape.dend_param(c - 1) + (neighbour < c ? DendParam::kGPrev : DendParam::kGNext);
    }
    const bool towards_soma = neighbour == kSoma || neighbour < c;
    return kShape.axon_param(c - kFirstAxon) +
           (towards_soma ? AxonParam::kGPrev : AxonParam::kGNext);
  }
  static constexpr int CapParam(int c) {
    return c == kSoma       ? int{SomaParam::kCap}
           : c < kFirstAxon ? kShape.dend_param(c - 1) + DendParam::kCap
                            : kShape.axon_param(c - kFirstAxon) + AxonParam::kCap;
  }

  // The half step's change of voltage, and the new voltages. Both far ends are eliminated towards the
  // middle of the chain, then back; the two pivots of a stage share a division, and all vectors take a
  // stage together. False if a new voltage lies outside the tables.
  HWY_INLINE bool Solve() {
    constexpr int kMiddle = kN / 2;
    using Row = std::array<Vec, kVectors>;
    Row diagonal[kN], right[kN], inverse[kN], ahead[kN], behind[kN];
    Static<0, kN>([&](auto place) LIVND_INLINE_LAMBDA {
      constexpr int c = Chain(place);
      for (int h = 0; h < kVectors; ++h) {
        diagonal[place][h] = Param(CapParam(c), h) + half_.slope[c][h];
        right[place][h] = -half_.total[c][h];
      }
      if (batch_.field) {
        for (int h = 0; h < kVectors; ++h) {
          right[place][h] = Variable(kShape.field_state(c), h) + right[place][h];
        }
      }
      if (batch_.drive != nullptr) {
        for (int h = 0; h < kVectors; ++h) {
          right[place][h] = Load(at_.place[h].drive + c * kTileLanes) + right[place][h];
        }
      }
    });
    Static<0, kN - 1>([&](auto place) LIVND_INLINE_LAMBDA {
      constexpr int c = Chain(place), next = Chain(place + 1);
      for (int h = 0; h < kVectors; ++h) {
        ahead[place][h] = Param(Coupling(c, next), h);
        behind[place + 1][h] = Param(Coupling(next, c), h);
        const Vec difference = half_.v[next][h] - half_.v[c][h];
        diagonal[place][h] = diagonal[place][h] + ahead[place][h];
        right[place][h] = Fma(ahead[place][h], difference, right[place][h]);
        diagonal[place + 1][h] = diagonal[place + 1][h] + behind[place + 1][h];
        right[place + 1][h] = NegFma(behind[place + 1][h], difference, right[place + 1][h]);
      }
    });
    Static<0, kMiddle>([&](auto stage) LIVND_INLINE_LAMBDA {
      constexpr int i = stage, j = kN - 1 - i;
      for (int h = 0; h < kVectors; ++h) {
        if constexpr (j > kMiddle) {
          const Vec reciprocal = 1.0 / (diagonal[i][h] * diagonal[j][h]);
          inverse[i][h] = reciprocal * diagonal[j][h];
          inverse[j][h] = reciprocal * diagonal[i][h];
          const Vec g = ahead[j - 1][h] * inverse[j][h];
          diagonal[j - 1][h] = NegFma(g, behind[j][h], diagonal[j - 1][h]);
          right[j - 1][h] = Fma(g, right[j][h], right[j - 1][h]);
        } else {
          inverse[i][h] = 1.0 / diagonal[i][h];
        }
        const Vec f = behind[i + 1][h] * inverse[i][h];
        diagonal[i + 1][h] = NegFma(f, ahead[i][h], diagonal[i + 1][h]);
        right[i + 1][h] = Fma(f, right[i][h], right[i + 1][h]);
      }
    });
    for (int h = 0; h < kVectors; ++h) {
      dv_[Chain(kMiddle)][h] = right[kMiddle][h] / diagonal[kMiddle][h];
    }
    Static<1, kMiddle + 1>([&](auto distance) LIVND_INLINE_LAMBDA {
      constexpr int i = kMiddle - distance, j = kMiddle + distance;
      for (int h = 0; h < kVectors; ++h) {
        dv_[Chain(i)][h] = Fma(ahead[i][h], dv_[Chain(i + 1)][h], right[i][h]) * inverse[i][h];
        if constexpr (j < kN) {
          dv_[Chain(j)][h] = Fma(behind[j][h], dv_[Chain(j - 1)][h], right[j][h]) * inverse[j][h];
        }
      }
    });
    Mask inside =
        simd::InsideTable(Set(0.0));  // not by a maximum, which loses what is not a number
    Static<0, kN>([&](auto c) LIVND_INLINE_LAMBDA {
      for (int h = 0; h < kVectors; ++h) {
        next_v_[c][h] = Fma(Set(2.0), dv_[c][h], half_.v[c][h]);
        inside = inside & simd::InsideTable(next_v_[c][h]);
      }
    });
    return simd::AllTrue(inside);
  }

  void StoreMembraneCurrents() {
    for (int c = 0; c < kN; ++c) {
      for (int h = 0; h < kVectors; ++h) {
        Store(Fma(Param(CapParam(c), h) + half_.slope[c][h], dv_[c][h], half_.total[c][h]),
              at_.place[h].membrane_current + c * kTileLanes);
      }
    }
  }

  // V_{k+1}; gates and pools at the new voltage with the ion currents of the half step.
  template <Path kPath>
  HWY_INLINE void Update() {
    for (int h = 0; h < kVectors; ++h) {
      const Block b = Soma(h);
      const Vec v = next_v_[kSoma][h];
      b.Put(SomaState::kV, v);
      const TableIndex index = IndexAt<kPath>(v);
      const Functions spiking = Spiking<kPath>(index, v);
      const Functions slow = Slow<kPath>(index, v);
      StoreM(kSoma, h, v, spiking[Tables::kMNas]);
      StoreSomaCalcium(h, CalciumOfSoma<kPath>(index, v));
      UpdateSpiking<SomaState>(b, spiking, slow[Tables::kAN]);
      UpdatePool<SomaState::kUNa, SomaParam::kSize>(b, SodiumHalf(kSoma, h));
      UpdatePool<SomaState::kUK, rcsd::kPotassiumPool<SomaParam>>(b, PotassiumHalf(kSoma, h));
      UpdateCalcium<SomaState, SomaParam>(b, slow, CalciumHalf(kSoma, h));
      if constexpr (kHasKa) {
        const Functions ka =
            TableFunctions<kPath>(tables_->ka, index, v, [&]() HWY_ATTR { return ExactKa(v); });
        b.Put(SomaState::kAKa, Relax(b.S(SomaState::kAKa), ka[Tables::kAKa], k_.ka_a));
        b.Put(SomaState::kBKa, Relax(b.S(SomaState::kBKa), ka[Tables::kBKa], k_.ka_b));
      }
    }
    for (int i = 0; i < kNumDend; ++i) {
      for (int h = 0; h < kVectors; ++h) {
        const Block b = Dend(i, h);
        const Vec v = next_v_[1 + i][h];
        b.Put(DendState::kV, v);
        const TableIndex index = IndexAt<kPath>(v);
        const Functions slow = SlowOfDend<kPath>(index, v);
        StoreDendCalcium(i, h, Calcium<kPath>(index, v));
        StoreDendBlock(i, h, slow);
        b.Put(DendState::kMCal, Relax(b.S(DendState::kMCal), slow[Tables::kMCal], k_.cal_m));
        UpdatePool<DendState::kUK, rcsd::kPotassiumPool<DendParam>>(b, PotassiumHalf(1 + i, h));
        UpdateCalcium<DendState, DendParam>(b, slow, CalciumHalf(1 + i, h));
      }
    }
    for (int i = 0; i < kNumAxon; ++i) {
      const int c = kFirstAxon + i;
      for (int h = 0; h < kVectors; ++h) {
        const Block b = Axon(i, h);
        const Vec v = next_v_[c][h];
        b.Put(AxonState::kV, v);
        const TableIndex index = IndexAt<kPath>(v);
        const Functions spiking = Spiking<kPath>(index, v);
        StoreM(c, h, v, spiking[Tables::kMNas]);
        UpdateSpiking<AxonState>(b, spiking, PotassiumFraction<kPath>(index, v));
        UpdatePool<AxonState::kUNa, AxonParam::kSize>(b, SodiumHalf(c, h));
        UpdatePool<AxonState::kUK, rcsd::kPotassiumPool<AxonParam>>(b, PotassiumHalf(c, h));
      }
    }
  }

  Vec SodiumHalf(int c, int h) const { return Fma(na_slope_[c][h], dv_[c][h], na_[c][h]); }
  Vec PotassiumHalf(int c, int h) const { return Fma(k_slope_[c][h], dv_[c][h], k_current_[c][h]); }
  Vec CalciumHalf(int c, int h) const { return Fma(ca_slope_[c][h], dv_[c][h], ca_[c][h]); }

  template <class S>
  void UpdateSpiking(const Block& b, const Functions& spiking, Vec a_n) const {
    const Vec h = b.S(S::kH);
    b.Put(S::kH, h + NegFma(spiking[Tables::kAH], h, spiking[Tables::kAHInf]));
    const Vec n = b.S(S::kN);
    b.Put(S::kN, n + NegFma(a_n, n, spiking[Tables::kANInf]));
  }
  // Sodium and potassium shells; `current` is the ion's current at the half step, kPool where the
  // cell's own constants lie.
  template <int kU, int kPool>
  void UpdatePool(const Block& b, Vec current) const {
    if constexpr (kOwnMembrane) {
      b.Put(kU, Relax(b.S(kU), current * b.P(kPool + PoolParam::kDrive),
                      b.P(kPool + PoolParam::kFraction)));
    } else {
      b.Put(kU, Relax(b.S(kU), current * k_.pool_drive, k_.pool));
    }
  }
  template <class S, class P>
  void UpdateCalcium(const Block& b, const Functions& slow, Vec current) const {
    b.Put(S::kMCan, Relax(b.S(S::kMCan), slow[Tables::kMCan], k_.can_m));
    b.Put(S::kHCan, Relax(b.S(S::kHCan), slow[Tables::kHCan], k_.can_h));
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
  Compartments dv_, next_v_;
  Compartments na_, na_slope_, k_current_, k_slope_, ca_, ca_slope_;
};

// Cells with a membrane of their own are rare; one tile at a time keeps the program small.
constexpr int kTilesAtOnce = simd::kLanes > 1 ? 2 : 1;

template <class Two, class One>
void StepAll(const RcsdGroupParams& group, const TileBatch& batch, uint32_t* crossed) {
  int t = 0;
  for (; t + Two::kNumTiles <= batch.num_tiles; t += Two::kNumTiles) {
    Two(group, batch, t).Step(crossed + t);
  }
  for (; t < batch.num_tiles; ++t) One(group, batch, t).Step(crossed + t);
}
template <class, class One>
void PrepareAll(const RcsdGroupParams& group, const TileBatch& batch, uint32_t*) {
  for (int t = 0; t < batch.num_tiles; ++t) One(group, batch, t).Prepare();
}

// Calls fn with a type of tile for the shape.
#define LIVND_FOR_SHAPE(fn)                                                                        \
  const RcsdShape& shape = group.shape;                                                            \
  const int dend = shape.kind == CellKind::kRenshaw ? 0 : shape.num_dend == 3 ? 2 : 1;             \
  switch (dend * 4 + (shape.num_axon > 0 ? 2 : 0) + (shape.own_membrane ? 1 : 0)) {                \
    case 0:                                                                                        \
      return fn<Tile<0, 0, true, false, kTilesAtOnce>, Tile<0, 0, true, false, 1>>(group, batch,   \
                                                                                   crossed);       \
    case 1:                                                                                        \
      return fn<Tile<0, 0, true, true, 1>, Tile<0, 0, true, true, 1>>(group, batch, crossed);      \
    case 2:                                                                                        \
      return fn<Tile<0, 5, true, false, kTilesAtOnce>, Tile<0, 5, true, false, 1>>(group, batch,   \
                                                                                   crossed);       \
    case 3:                                                                                        \
      return fn<Tile<0, 5, true, true, 1>, Tile<0, 5, true, true, 1>>(group, batch, crossed);      \
    case 4:                                                                                        \
      return fn<Tile<1, 0, false, false, kTilesAtOnce>, Tile<1, 0, false, false, 1>>(group, batch, \
                                                                                     crossed);     \
    case 5:                                                                                        \
      return fn<Tile<1, 0, false, true, 1>, Tile<1, 0, false, true, 1>>(group, batch, crossed);    \
    case 6:                                                                                        \
      return fn<Tile<1, 5, false, false, kTilesAtOnce>, Tile<1, 5, false, false, 1>>(group, batch, \
                                                                                     crossed);     \
    case 7:                                                                                        \
      return fn<Tile<1, 5, false, true, 1>, Tile<1, 5, false, true, 1>>(group, batch, crossed);    \
    case 8:                                                                                        \
      return fn<Tile<3, 0, false, false, kTilesAtOnce>, Tile<3, 0, false, false, 1>>(group, batch, \
                                                                                     crossed);     \
    case 9:                                                                                        \
      return fn<Tile<3, 0, false, true, 1>, Tile<3, 0, false, true, 1>>(group, batch, crossed);    \
    case 10:                                                                                       \
      return fn<Tile<3, 5, false, false, kTilesAtOnce>, Tile<3, 5, false, false, 1>>(group, batch, \
                                                                                     crossed);     \
    default:                                                                                       \
      return fn<Tile<3, 5, false, true, 1>, Tile<3, 5, false, true, 1>>(group, batch, crossed);    \
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
