// The functions of voltage and of the ion pools that a step of RCSD cells needs: from tables where they
// reach, exactly beyond them. Internal to sim/cell.
#if defined(LIVND_SIM_CELL_RCSD_RCSD_FUNCTIONS_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LIVND_SIM_CELL_RCSD_RCSD_FUNCTIONS_H_
#undef LIVND_SIM_CELL_RCSD_RCSD_FUNCTIONS_H_
#else
#define LIVND_SIM_CELL_RCSD_RCSD_FUNCTIONS_H_
#endif

#include "sim/cell/rcsd/rcsd_kernel.h"
#include "sim/cell/rcsd/rcsd_membrane.h"
#include "sim/cell/rcsd/rcsd_tables.h"
#include "sim/simd/table.h"
#include "sim/simd/vec.h"

HWY_BEFORE_NAMESPACE();
namespace livnd::sim::HWY_NAMESPACE::rcsd {

using simd::TableIndex;

// Numbers of a row of RcsdTables. All are whole cache lines.
inline constexpr int kSomaRow = 3 * simd::kTablePart;
inline constexpr int kDendRow = 2 * simd::kTablePart;
inline constexpr int kAxonRow = simd::kTablePart + simd::kTableLine;
static_assert(kSomaRow % 8 == 0 && kDendRow % 8 == 0 && kAxonRow % 8 == 0);

// How functions are found.
enum class Path {
  kTables,   // every lane lies inside the tables
  kBlended,  // lanes outside are computed exactly
  kExact,    // there are no tables
};

// What the tables stand for. Out of line: only lanes with extreme voltages come here.
inline HWY_NOINLINE Functions ExactSpiking(const StepConstants& k, Vec v) {
  return SpikingFunctions(k, v);
}
inline HWY_NOINLINE Functions ExactSomaSlow(const StepConstants& k, const MagnesiumBlock& block,
                                            Vec v) {
  return SomaSlowFunctions(k, block, v);
}
inline HWY_NOINLINE Functions ExactSomaCalcium(const StepConstants& k, Vec v) {
  return SomaCalciumFunctions(k, v);
}
inline HWY_NOINLINE Functions ExactDendSlow(const StepConstants& k, const MagnesiumBlock& block,
                                            Vec v) {
  return DendSlowFunctions(k, block, v);
}
inline HWY_NOINLINE Functions ExactDendCalcium(Vec v) { return DendCalciumFunctions(v); }
inline HWY_NOINLINE Vec ExactPotassiumKept(const StepConstants& k, Vec v) {
  return PotassiumKept(k, v);
}
inline HWY_NOINLINE Vec ExactSodium(Vec u) { return SodiumReversal(u); }
inline HWY_NOINLINE Vec ExactPotassium(Vec u) { return PotassiumReversal(u); }

// Four functions of voltage: part 0, 1 or 2 of a table's rows, or what `exact` computes.
template <Path kPath, class Exact>
HWY_INLINE Functions FunctionsAt(int part, const TableIndex& index, Vec v, Exact exact) {
  if constexpr (kPath == Path::kExact) return exact();
  Functions f;
  simd::Evaluate(part * simd::kTablePart, index, f.data());
  if constexpr (kPath == Path::kBlended) {
    const Mask inside = simd::InsideTable(v);
    const Functions e = exact();
    for (size_t i = 0; i < f.size(); ++i) f[i] = simd::Select(inside, f[i], e[i]);
  }
  return f;
}

// The functions of a group of cells.
template <Path kPath>
class GroupFunctions {
 public:
  explicit GroupFunctions(const RcsdGroupParams& group)
      : k_(group.step), block_(group.tables == nullptr ? no_block_ : group.tables->block) {}

  // The parts of RcsdTables.
  HWY_INLINE Functions SomaSpiking(const TableIndex& index, Vec v) const {
    return FunctionsAt<kPath>(0, index, v, [&]() HWY_ATTR { return ExactSpiking(k_, v); });
  }
  HWY_INLINE Functions SomaSlow(const TableIndex& index, Vec v) const {
    return FunctionsAt<kPath>(1, index, v, [&]() HWY_ATTR { return ExactSomaSlow(k_, block_, v); });
  }
  HWY_INLINE Functions SomaCalcium(const TableIndex& index, Vec v) const {
    return FunctionsAt<kPath>(2, index, v, [&]() HWY_ATTR { return ExactSomaCalcium(k_, v); });
  }
  HWY_INLINE Functions DendSlow(const TableIndex& index, Vec v) const {
    return FunctionsAt<kPath>(0, index, v, [&]() HWY_ATTR { return ExactDendSlow(k_, block_, v); });
  }
  HWY_INLINE Functions DendCalcium(const TableIndex& index, Vec v) const {
    return FunctionsAt<kPath>(1, index, v, [&]() HWY_ATTR { return ExactDendCalcium(v); });
  }
  HWY_INLINE Functions AxonSpiking(const TableIndex& index, Vec v) const {
    return FunctionsAt<kPath>(0, index, v, [&]() HWY_ATTR { return ExactSpiking(k_, v); });
  }
  HWY_INLINE Vec AxonPotassiumKept(const TableIndex& index, Vec v) const {
    if constexpr (kPath == Path::kExact) return ExactPotassiumKept(k_, v);
    const Vec a = simd::EvaluateLine(simd::kTablePart, index);
    if constexpr (kPath == Path::kTables) return a;
    return simd::Select(simd::InsideTable(v), a, ExactPotassiumKept(k_, v));
  }

 private:
  static constexpr MagnesiumBlock no_block_ = {};
  const StepConstants& k_;
  const MagnesiumBlock& block_;
};

// A reversal potential as a polynomial whose coefficients stay in registers over a loop.
template <Path kPath, class Polynomial>
class ReversalPolynomial {
 public:
  // tables: null for kExact.
  HWY_INLINE explicit ReversalPolynomial(const Polynomial* polynomial) {
    if constexpr (kPath == Path::kExact) return;
    for (int d = 0; d <= Polynomial::kDegree; ++d) c_[d] = Load(polynomial->coefficients[d]);
    farthest_ = Set(0.0);
  }
  template <class Exact>
  HWY_INLINE Vec At(Vec u, Exact exact) {
    if constexpr (kPath == Path::kExact) return exact(u);
    const Vec x = u - Polynomial::kMiddle;
    Vec e = c_[Polynomial::kDegree];
    for (int d = Polynomial::kDegree - 1; d >= 0; --d) e = Fma(e, x, c_[d]);
    if constexpr (kPath == Path::kBlended) {
      return simd::Select(simd::Abs(x) < Set(Polynomial::kHalfWidth), e, exact(u));
    }
    farthest_ = Max(farthest_, simd::Abs(x));
    return e;
  }
  // Whether the polynomial holds for all that kTables was asked for.
  HWY_INLINE bool inside() const {
    return kPath != Path::kTables || simd::AllTrue(farthest_ < Set(Polynomial::kHalfWidth));
  }

 private:
  Vec c_[Polynomial::kDegree + 1];
  Vec farthest_;
};

}  // namespace livnd::sim::HWY_NAMESPACE::rcsd
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
