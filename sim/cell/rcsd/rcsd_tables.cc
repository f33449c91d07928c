#include "sim/cell/rcsd/rcsd_tables.h"

#include <algorithm>
#include <array>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/cell/rcsd/rcsd_tables.cc"
#include "hwy/foreach_target.h"
// foreach_target.h comes before whatever uses instructions.
#include "sim/cell/rcsd/rcsd_functions.h"
#include "sim/cell/rcsd/rcsd_kernel.h"
#include "sim/cell/rcsd/rcsd_membrane.h"
#include "sim/simd/table.h"
#include "sim/simd/vec.h"

HWY_BEFORE_NAMESPACE();
namespace livnd::sim::HWY_NAMESPACE {
namespace {

using simd::kTableRows;
using simd::Set;
using simd::Vec;

// Chebyshev nodes of an interval of length 1: cos((2 j + 1) pi / (2 N)) / 2. They need not be exact,
// only the same everywhere: cos by its series in the first quadrant.
template <size_t N>
std::array<double, N> Nodes() {
  constexpr double kPi = 3.14159265358979323846;
  std::array<double, N> nodes;
  for (size_t i = 0; i < N; ++i) {
    const double angle = (2.0 * static_cast<double>(i) + 1.0) * (kPi / (2.0 * N));
    const bool mirrored = angle > kPi / 2.0;
    const double a = mirrored ? kPi - angle : angle;
    double term = 1.0, cosine = 1.0;
    for (int k = 1; k <= 12; ++k) {
      term *= -a * a / ((2.0 * k - 1.0) * (2.0 * k));
      cosine += term;
    }
    nodes[i] = 0.5 * (mirrored ? -cosine : cosine);
  }
  return nodes;
}

// Coefficients of the polynomial through values at the nodes: Newton's divided differences, multiplied
// out.
template <size_t N>
std::array<double, N> Interpolate(const std::array<double, N>& nodes,
                                  const std::array<double, N>& values) {
  std::array<double, N> difference = values;
  for (size_t order = 1; order < N; ++order) {
    for (size_t i = N - 1; i >= order; --i) {
      difference[i] = (difference[i] - difference[i - 1]) / (nodes[i] - nodes[i - order]);
    }
  }
  std::array<double, N> c = {};
  for (size_t i = N; i-- > 0;) {
    // c(x) becomes c(x) (x - node i) + difference i.
    for (size_t d = N - 1; d > 0; --d) c[d] = c[d - 1] - nodes[i] * c[d];
    c[0] = difference[i] - nodes[i] * c[0];
  }
  return c;
}

// Fills kNum functions of every row of kRow numbers, from `first` numbers behind the row's start: the
// coefficients to kDegree, function by function inside a degree. functions(v) gives kNum of them.
template <int kDegree, int kNum, int kRow, class Functions>
void FillPart(AlignedVector& table, int first, Functions functions) {
  constexpr size_t kNumNodes = kDegree + 1;
  const std::array<double, kNumNodes> nodes = Nodes<kNumNodes>();
  table.resize(static_cast<size_t>(kTableRows) * kRow);
  for (int first_row = 0; first_row < kTableRows; first_row += simd::kLanes) {
    double values[kNumNodes][kNum][simd::kLanes];
    for (size_t node = 0; node < kNumNodes; ++node) {
      double v[simd::kLanes];
      for (int i = 0; i < simd::kLanes; ++i) {
        v[i] = simd::kTableMinMv + (first_row + i + nodes[node]) / simd::kIntervalsPerMv;
      }
      const std::array<Vec, kNum> f = functions(simd::Load(v));
      for (int k = 0; k < kNum; ++k) simd::Store(f[k], values[node][k]);
    }
    for (int i = 0; i < simd::kLanes && first_row + i < kTableRows; ++i) {
      double* part = table.data() + static_cast<size_t>(first_row + i) * kRow + first;
      for (int k = 0; k < kNum; ++k) {
        std::array<double, kNumNodes> at_nodes;
        for (size_t node = 0; node < kNumNodes; ++node) at_nodes[node] = values[node][k][i];
        const std::array<double, kNumNodes> c = Interpolate(nodes, at_nodes);
        for (size_t d = 0; d < kNumNodes; ++d) part[d * kNum + k] = c[d];
      }
    }
  }
}
template <int kRow, class Functions>
void FillFour(AlignedVector& table, int part, Functions functions) {
  FillPart<simd::kTableDegree, simd::kTableFunctions, kRow>(table, part * simd::kTablePart,
                                                            functions);
}

// The polynomial of degree N - 1 through Chebyshev nodes of an interval, in x - middle.
template <size_t N, class Function>
void FitReversal(double middle, double half_width, Function function,
                 double (&coefficients)[N][kTileLanes]) {
  std::array<double, N> nodes = Nodes<N>(), values;
  for (size_t i = 0; i < N; ++i) {
    nodes[i] *= 2.0 * half_width;
    double lanes[simd::kLanes];
    simd::Store(function(Set(middle + nodes[i])), lanes);
    values[i] = lanes[0];
  }
  const std::array<double, N> c = Interpolate(nodes, values);
  for (size_t i = 0; i < N; ++i) std::fill_n(coefficients[i], kTileLanes, c[i]);
}

std::shared_ptr<const RcsdTables> MakeTables(double dt_ms, const MagnesiumBlock& block) {
  using rcsd::kAxonRow;
  using rcsd::kDendRow;
  using rcsd::kSomaRow;
  const StepConstants k = MakeStepConstants(dt_ms);
  auto tables = std::make_shared<RcsdTables>();
  tables->block = block;
  const auto spiking = [&](Vec v) HWY_ATTR { return rcsd::SpikingFunctions(k, v); };
  FillFour<kSomaRow>(tables->soma, 0, spiking);
  FillFour<kSomaRow>(tables->soma, 1,
                     [&](Vec v) HWY_ATTR { return rcsd::SomaSlowFunctions(k, block, v); });
  FillFour<kSomaRow>(tables->soma, 2,
                     [&](Vec v) HWY_ATTR { return rcsd::SomaCalciumFunctions(k, v); });
  FillFour<kDendRow>(tables->dend, 0,
                     [&](Vec v) HWY_ATTR { return rcsd::DendSlowFunctions(k, block, v); });
  FillFour<kDendRow>(tables->dend, 1,
                     [&](Vec v) HWY_ATTR { return rcsd::DendCalciumFunctions(v); });
  FillFour<kAxonRow>(tables->axon, 0, spiking);
  FillPart<simd::kLineDegree, 1, kAxonRow>(tables->axon, simd::kTablePart, [&](Vec v) HWY_ATTR {
    return std::array<Vec, 1>{rcsd::PotassiumKept(k, v)};
  });
  FitReversal(
      RcsdTables::Sodium::kMiddle, RcsdTables::Sodium::kHalfWidth,
      [](Vec u) HWY_ATTR { return rcsd::SodiumReversal(u); }, tables->sodium.coefficients);
  FitReversal(
      RcsdTables::Potassium::kMiddle, RcsdTables::Potassium::kHalfWidth,
      [](Vec u) HWY_ATTR { return rcsd::PotassiumReversal(u); }, tables->potassium.coefficients);
  return tables;
}

}  // namespace
}  // namespace livnd::sim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace livnd::sim {

HWY_EXPORT(MakeTables);

std::shared_ptr<const RcsdTables> MakeRcsdTables(double dt_ms, const MagnesiumBlock& block) {
  return HWY_DYNAMIC_DISPATCH(MakeTables)(dt_ms, block);
}

}  // namespace livnd::sim
#endif  // HWY_ONCE
