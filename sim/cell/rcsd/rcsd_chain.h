// The half step's change of voltage along a cell: a tridiagonal system, dendrite - soma - axon, solved
// exactly. Internal to sim/cell.
#if defined(LIVND_SIM_CELL_RCSD_RCSD_CHAIN_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LIVND_SIM_CELL_RCSD_RCSD_CHAIN_H_
#undef LIVND_SIM_CELL_RCSD_RCSD_CHAIN_H_
#else
#define LIVND_SIM_CELL_RCSD_RCSD_CHAIN_H_
#endif

#include <array>
#include <type_traits>

#include "sim/cell/rcsd/rcsd_kernel.h"
#include "sim/cell/rcsd/rcsd_point_processes.h"
#include "sim/simd/vec.h"

HWY_BEFORE_NAMESPACE();
namespace livnd::sim::HWY_NAMESPACE::rcsd {

using simd::FmaMinus;
using simd::NegFma;
using simd::NegFmaMinus;

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

// Half a step's dv of the compartments, from the half step's currents and what drives them.
//
// At place i, d x_i - ahead x_{i+1} - behind x_{i-1} = r. Both far ends are eliminated towards the middle
// of the chain without a division: a row becomes D x_i - E x_(its inner neighbour) = R, scaled by the D
// of the row outside of it. The divisions by D, two at a time, and the middle's then wait for nothing but
// the elimination, and the way back outwards is one multiply-add and one product a place. D is a product
// of at most four diagonals (S/cm2), each of them more than the sum of its couplings, so it stays
// positive and in range.
template <class Shape>
HWY_INLINE void SolveChain(const Cells& cells, const HalfStep& half, Compartments& dv) {
  using C = Chain<Shape>;
  constexpr int kN = C::kN, kMiddle = kN / 2;
  constexpr bool kHasLeft = kMiddle > 0, kHasRight = kMiddle < kN - 1;
  Vec d[kN], r[kN], ahead[kN], behind[kN];
  Static<0, kN>([&](auto place) LIVND_INLINE_LAMBDA {
    constexpr int c = C::At(place);
    d[place] = cells.Param(C::Capacitance(c)) + half.slope[c];
    if constexpr (kN == 1) r[place] = -half.total[c];
  });
  Static<0, kN - 1>([&](auto place) LIVND_INLINE_LAMBDA {
    constexpr int c = C::At(place), next = C::At(place + 1);
    ahead[place] = cells.Param(C::Coupling(c, next));
    behind[place + 1] = cells.Param(C::Coupling(next, c));
    const Vec difference = half.v[next] - half.v[c];
    d[place] = d[place] + ahead[place];
    r[place] = place == 0 ? FmaMinus(ahead[place], difference, half.total[c])
                          : Fma(ahead[place], difference, r[place]);
    d[place + 1] = d[place + 1] + behind[place + 1];
    r[place + 1] = NegFmaMinus(behind[place + 1], difference, half.total[next]);
  });

  // From here on d, r are D, R of the rows outside of the middle; `inner` their E.
  Vec inner[kN], inverse[kN];
  if constexpr (kHasLeft) inner[0] = ahead[0];
  if constexpr (kHasRight) inner[kN - 1] = behind[kN - 1];
  const auto eliminate = [&](int i, int outer, Vec towards_outer, Vec towards_inner)
                             LIVND_INLINE_LAMBDA {
                               r[i] = Fma(towards_outer, r[outer], r[i] * d[outer]);
                               inner[i] = towards_inner * d[outer];
                               d[i] = NegFma(towards_outer, inner[outer], d[i] * d[outer]);
                             };
  Static<1, kMiddle>([&](auto i) LIVND_INLINE_LAMBDA {
    constexpr int j = kN - 1 - i;
    eliminate(i, i - 1, behind[i], ahead[i]);
    if constexpr (j > kMiddle) eliminate(j, j + 1, ahead[j], behind[j]);
  });
  Static<0, kMiddle>([&](auto i) LIVND_INLINE_LAMBDA {
    constexpr int j = kN - 1 - i;
    if constexpr (j > kMiddle) {
      const Vec both = 1.0 / (d[i] * d[j]);
      inverse[i] = both * d[j];
      inverse[j] = both * d[i];
    } else {
      inverse[i] = 1.0 / d[i];
    }
  });
  constexpr int m = kMiddle;
  if constexpr (kHasLeft && kHasRight) {
    const Vec left = behind[m] * d[m + 1], right = ahead[m] * d[m - 1];
    const Vec scale = d[m - 1] * d[m + 1];
    r[m] = Fma(left, r[m - 1], Fma(right, r[m + 1], r[m] * scale));
    d[m] = NegFma(left, inner[m - 1], NegFma(right, inner[m + 1], d[m] * scale));
  } else if constexpr (kHasLeft) {
    r[m] = Fma(behind[m], r[m - 1], r[m] * d[m - 1]);
    d[m] = NegFma(behind[m], inner[m - 1], d[m] * d[m - 1]);
  }
  dv[C::At(m)] = r[m] / d[m];
  Static<1, kMiddle + 1>([&](auto distance) LIVND_INLINE_LAMBDA {
    constexpr int i = kMiddle - distance, j = kMiddle + distance;
    dv[C::At(i)] = Fma(inner[i], dv[C::At(i + 1)], r[i]) * inverse[i];
    if constexpr (j < kN) {
      dv[C::At(j)] = Fma(inner[j], dv[C::At(j - 1)], r[j]) * inverse[j];
    }
  });
}

}  // namespace livnd::sim::HWY_NAMESPACE::rcsd
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
