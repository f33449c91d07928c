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
    return c == 0           ? int{SomaParam::kCap}
           : c < kFirstAxon ? kShape.dend_param(c - 1) + DendParam::kCap
                            : kShape.axon_param(c - kFirstAxon) + AxonParam::kCap;
  }
};

// dv: [compartment][vector]. Both far ends are eliminated towards the middle of the chain, then back;
// the two pivots of a stage share a division, and all vectors take a stage together, so that the long
// chains of one vector's divisions overlap with another's.
template <class Shape, class V>
HWY_INLINE void SolveChain(const TileBatch& batch, const V& at, const typename V::HalfStep& half,
                           typename V::Compartments& dv) {
  using C = Chain<Shape>;
  constexpr int kN = C::kN, kMiddle = kN / 2, kVectors = V::kNum;
  using Row = std::array<Vec, kVectors>;
  Row diagonal[kN], right[kN], inverse[kN], ahead[kN], behind[kN];
  Static<0, kN>([&](auto place) LIVND_INLINE_LAMBDA {
    constexpr int c = C::At(place);
    for (int h = 0; h < kVectors; ++h) {
      diagonal[place][h] = at.place[h].Param(C::Capacitance(c)) + half.slope[c][h];
      right[place][h] = -half.total[c][h];
    }
    if (batch.field) {
      for (int h = 0; h < kVectors; ++h) {
        right[place][h] = at.place[h].Variable(C::kShape.field_state(c)) + right[place][h];
      }
    }
    if (batch.drive != nullptr) {
      for (int h = 0; h < kVectors; ++h) {
        right[place][h] = Load(at.place[h].drive + c * kTileLanes) + right[place][h];
      }
    }
  });
  Static<0, kN - 1>([&](auto place) LIVND_INLINE_LAMBDA {
    constexpr int c = C::At(place), next = C::At(place + 1);
    for (int h = 0; h < kVectors; ++h) {
      ahead[place][h] = at.place[h].Param(C::Coupling(c, next));
      behind[place + 1][h] = at.place[h].Param(C::Coupling(next, c));
      const Vec difference = half.v[next][h] - half.v[c][h];
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
    dv[C::At(kMiddle)][h] = right[kMiddle][h] / diagonal[kMiddle][h];
  }
  Static<1, kMiddle + 1>([&](auto distance) LIVND_INLINE_LAMBDA {
    constexpr int i = kMiddle - distance, j = kMiddle + distance;
    for (int h = 0; h < kVectors; ++h) {
      dv[C::At(i)][h] = Fma(ahead[i][h], dv[C::At(i + 1)][h], right[i][h]) * inverse[i][h];
      if constexpr (j < kN) {
        dv[C::At(j)][h] = Fma(behind[j][h], dv[C::At(j - 1)][h], right[j][h]) * inverse[j][h];
      }
    }
  });
}

}  // namespace livnd::sim::HWY_NAMESPACE::rcsd
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
