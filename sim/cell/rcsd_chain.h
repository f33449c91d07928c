// The half step's change of voltage along a cell: a tridiagonal system, dendrite - soma - axon, solved
// exactly. Internal to sim/cell.
#if defined(LIVND_SIM_CELL_RCSD_CHAIN_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LIVND_SIM_CELL_RCSD_CHAIN_H_
#undef LIVND_SIM_CELL_RCSD_CHAIN_H_
#else
#define LIVND_SIM_CELL_RCSD_CHAIN_H_
#endif

#include <array>
#include <type_traits>

#include "sim/cell/rcsd_kernel.h"
#include "sim/cell/rcsd_point_processes.h"
#include "sim/simd/vec.h"

HWY_BEFORE_NAMESPACE();
namespace livnd::sim::HWY_NAMESPACE::rcsd {

using simd::NegFma;

// fn(kFirst), ... fn(kLast - 1) with the numbers as constants of the compiler.
template <int kFirst, int kLast, class Fn>
HWY_INLINE void Static(Fn fn) {
  if constexpr (kFirst < kLast) {
    fn(std::integral_constant<int, kFirst>());
    Static<kFirst + 1, kLast>(fn);
  }
}
#define LIVND_INLINE_LAMBDA HWY_ATTR __attribute__((always_inline))

// A shape that the compiler knows.
template <int kNumDend, int kNumAxon, bool kHasKa, bool kOwnMembrane>
struct Shape {
  static constexpr RcsdShape Make() {
    RcsdShape shape;
    shape.kind = kHasKa ? CellKind::kRenshaw : CellKind::kMotoneuron;
    shape.num_dend = kNumDend;
    shape.num_axon = kNumAxon;
    shape.own_membrane = kOwnMembrane;
    return shape;  // has_opsin decides nothing that is used here
  }
  static constexpr RcsdShape kShape = Make();
};

// The compartments of a shape from the axon's end to the dendrite's, by place.
template <class Shape>
struct Chain {
  static constexpr RcsdShape kShape = Shape::kShape;
  static constexpr int kN = kShape.num_compartments();
  static constexpr int kNumAxon = kShape.num_axon;
  static constexpr int kFirstAxon = 1 + kShape.num_dend;

  static constexpr int At(int place) {
    return place < kNumAxon    ? kFirstAxon + kNumAxon - 1 - place
           : place == kNumAxon ? 0
                               : place - kNumAxon;
  }
  // Parameter of the coupling that a compartment has towards its neighbour.
  static constexpr int Coupling(int c, int neighbour) {
    if (c == 0) return neighbour < kFirstAxon ? SomaParam::kGDend : SomaParam::kGAxon;
    if (c < kFirstAxon) {
      return kShape.dend_param(c - 1) + (neighbour < c ? DendParam::kGPrev : DendParam::kGNext);
    }
    const bool towards_soma = neighbour == 0 || neighbour < c;
    return kShape.axon_param(c - kFirstAxon) +
           (towards_soma ? AxonParam::kGPrev : AxonParam::kGNext);
  }
  static constexpr int Capacitance(int c) {
    return kShape.param_of(c, SomaParam::kCap, DendParam::kCap, AxonParam::kCap);
  }
};

// dv: [compartment][vector].
//
// At place i, d x_i - ahead x_{i+1} - behind x_{i-1} = r. Both far ends are eliminated towards the middle
// of the chain without a division: a row becomes D x_i - E x_(its inner neighbour) = R, scaled by the D
// of the row outside of it. The divisions by D, two at a time, and the middle's then wait for nothing but
// the elimination, and the way back outwards is one multiply-add and one product a place. D is a product
// of at most four diagonals (S/cm2), each of them more than the sum of its couplings, so it stays
// positive and in range.
template <class Shape, class V>
HWY_INLINE void SolveChain(const TileBatch& batch, const V& at, const typename V::HalfStep& half,
                           typename V::Compartments& dv) {
  using C = Chain<Shape>;
  constexpr int kN = C::kN, kMiddle = kN / 2, kVectors = V::kNum;
  constexpr bool kHasLeft = kMiddle > 0, kHasRight = kMiddle < kN - 1;
  using Row = std::array<Vec, kVectors>;
  Row d[kN], r[kN], ahead[kN], behind[kN];
  Static<0, kN>([&](auto place) LIVND_INLINE_LAMBDA {
    constexpr int c = C::At(place);
    for (int h = 0; h < kVectors; ++h) {
      d[place][h] = at.place[h].Param(C::Capacitance(c)) + half.slope[c][h];
      r[place][h] = -half.total[c][h];
    }
    if (batch.field) {
      for (int h = 0; h < kVectors; ++h) {
        r[place][h] = at.place[h].Variable(C::kShape.field_state(c)) + r[place][h];
      }
    }
    if (batch.drive != nullptr) {
      for (int h = 0; h < kVectors; ++h) {
        r[place][h] = Load(at.place[h].drive + c * kTileLanes) + r[place][h];
      }
    }
  });
  Static<0, kN - 1>([&](auto place) LIVND_INLINE_LAMBDA {
    constexpr int c = C::At(place), next = C::At(place + 1);
    for (int h = 0; h < kVectors; ++h) {
      ahead[place][h] = at.place[h].Param(C::Coupling(c, next));
      behind[place + 1][h] = at.place[h].Param(C::Coupling(next, c));
      const Vec difference = half.v[next][h] - half.v[c][h];
      d[place][h] = d[place][h] + ahead[place][h];
      r[place][h] = Fma(ahead[place][h], difference, r[place][h]);
      d[place + 1][h] = d[place + 1][h] + behind[place + 1][h];
      r[place + 1][h] = NegFma(behind[place + 1][h], difference, r[place + 1][h]);
    }
  });

  // From here on d, r are D, R of the rows outside of the middle; `inner` their E.
  Row inner[kN], inverse[kN];
  if constexpr (kHasLeft) inner[0] = ahead[0];
  if constexpr (kHasRight) inner[kN - 1] = behind[kN - 1];
  const auto eliminate = [&](int i, int outer, const Row& towards_outer,
                             const Row& towards_inner) LIVND_INLINE_LAMBDA {
    for (int h = 0; h < kVectors; ++h) {
      r[i][h] = Fma(towards_outer[h], r[outer][h], r[i][h] * d[outer][h]);
      inner[i][h] = towards_inner[h] * d[outer][h];
      d[i][h] = NegFma(towards_outer[h], inner[outer][h], d[i][h] * d[outer][h]);
    }
  };
  Static<1, kMiddle>([&](auto i) LIVND_INLINE_LAMBDA {
    constexpr int j = kN - 1 - i;
    eliminate(i, i - 1, behind[i], ahead[i]);
    if constexpr (j > kMiddle) eliminate(j, j + 1, ahead[j], behind[j]);
  });
  Static<0, kMiddle>([&](auto i) LIVND_INLINE_LAMBDA {
    constexpr int j = kN - 1 - i;
    for (int h = 0; h < kVectors; ++h) {
      if constexpr (j > kMiddle) {
        const Vec both = 1.0 / (d[i][h] * d[j][h]);
        inverse[i][h] = both * d[j][h];
        inverse[j][h] = both * d[i][h];
      } else {
        inverse[i][h] = 1.0 / d[i][h];
      }
    }
  });
  for (int h = 0; h < kVectors; ++h) {
    constexpr int m = kMiddle;
    if constexpr (kHasLeft && kHasRight) {
      const Vec left = behind[m][h] * d[m + 1][h], right = ahead[m][h] * d[m - 1][h];
      const Vec scale = d[m - 1][h] * d[m + 1][h];
      r[m][h] = Fma(left, r[m - 1][h], Fma(right, r[m + 1][h], r[m][h] * scale));
      d[m][h] = NegFma(left, inner[m - 1][h], NegFma(right, inner[m + 1][h], d[m][h] * scale));
    } else if constexpr (kHasLeft) {
      r[m][h] = Fma(behind[m][h], r[m - 1][h], r[m][h] * d[m - 1][h]);
      d[m][h] = NegFma(behind[m][h], inner[m - 1][h], d[m][h] * d[m - 1][h]);
    }
    dv[C::At(m)][h] = r[m][h] / d[m][h];
  }
  Static<1, kMiddle + 1>([&](auto distance) LIVND_INLINE_LAMBDA {
    constexpr int i = kMiddle - distance, j = kMiddle + distance;
    for (int h = 0; h < kVectors; ++h) {
      dv[C::At(i)][h] = Fma(inner[i][h], dv[C::At(i + 1)][h], r[i][h]) * inverse[i][h];
      if constexpr (j < kN) {
        dv[C::At(j)][h] = Fma(inner[j][h], dv[C::At(j - 1)][h], r[j][h]) * inverse[j][h];
      }
    }
  });
}

}  // namespace livnd::sim::HWY_NAMESPACE::rcsd
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
