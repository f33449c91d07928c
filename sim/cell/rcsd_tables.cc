#include "sim/cell/rcsd_tables.h"

#include <algorithm>
#include <array>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/cell/rcsd_tables.cc"
#include "hwy/foreach_target.h"
// foreach_target.h comes before whatever uses instructions.
#include "sim/cell/rcsd_kernel.h"
#include "sim/cell/rcsd_membrane.h"
#include "sim/simd/table.h"
#include "sim/simd/vec.h"

HWY_BEFORE_NAMESPACE();
namespace livnd::sim::HWY_NAMESPACE {
namespace {

using simd::kTableDegree;
using simd::kTableFunctions;
using simd::kTableRow;
using simd::kTableRows;
using simd::Set;
using simd::Vec;

constexpr int kNumNodes = kTableDegree + 1;
// Chebyshev nodes of an interval of length 1: cos((2 j + 1) pi / 10) / 2.
constexpr double kNodes[kNumNodes] = {0.47552825814757676786, 0.29389262614623656459, 0.0,
                                      -0.29389262614623656459, -0.47552825814757676786};

// Coefficients of the polynomial through the five nodes: Newton's divided differences, multiplied
// out.
std::array<double, kNumNodes> Interpolate(const double (&values)[kNumNodes]) {
  double difference[kNumNodes];
  for (int i = 0; i < kNumNodes; ++i) difference[i] = values[i];
  for (int order = 1; order < kNumNodes; ++order) {
    for (int i = kNumNodes - 1; i >= order; --i) {
      difference[i] = (difference[i] - difference[i - 1]) / (kNodes[i] - kNodes[i - order]);
    }
  }
  std::array<double, kNumNodes> c = {};
  for (int i = kNumNodes - 1; i >= 0; --i) {
    // c(x) becomes c(x) (x - node i) + difference i.
    for (int d = kNumNodes - 1; d > 0; --d) c[d] = c[d - 1] - kNodes[i] * c[d];
    c[0] = difference[i] - kNodes[i] * c[0];
  }
  return c;
}

template <class Functions>
std::vector<double> MakeTable(Functions functions) {
  std::vector<double> table(static_cast<size_t>(kTableRows) * kTableRow);
  for (int first = 0; first < kTableRows; first += simd::kLanes) {
    double values[kNumNodes][kTableFunctions][simd::kLanes];
    for (int node = 0; node < kNumNodes; ++node) {
      double v[simd::kLanes];
      for (int i = 0; i < simd::kLanes; ++i) {
        v[i] = simd::kTableMinMv + (first + i + kNodes[node]) / simd::kIntervalsPerMv;
      }
      const std::array<Vec, kTableFunctions> f = functions(simd::Load(v));
      for (int k = 0; k < kTableFunctions; ++k) simd::Store(f[k], values[node][k]);
    }
    for (int i = 0; i < simd::kLanes && first + i < kTableRows; ++i) {
      double* row = table.data() + static_cast<size_t>(first + i) * kTableRow;
      for (int k = 0; k < kTableFunctions; ++k) {
        double at_nodes[kNumNodes];
        for (int node = 0; node < kNumNodes; ++node) at_nodes[node] = values[node][k][i];
        const std::array<double, kNumNodes> c = Interpolate(at_nodes);
        for (int d = 0; d < kNumNodes; ++d) row[d * kTableFunctions + k] = c[d];
      }
    }
  }
  return table;
}

// The polynomial of degree N - 1 through Chebyshev nodes of an interval, in x - middle.
template <size_t N, class Function>
void FitReversal(double middle, double half_width, Function function,
                 double (&coefficients)[N][kTileLanes]) {
  double nodes[N], difference[N];
  for (size_t i = 0; i < N; ++i) {
    // Nodes need not be exact, only the same everywhere: cos by its series in the first quadrant.
    const double angle =
        (2.0 * static_cast<double>(i) + 1.0) * (3.14159265358979323846 / (2.0 * N));
    const bool mirrored = angle > 3.14159265358979323846 / 2.0;
    const double a = mirrored ? 3.14159265358979323846 - angle : angle;
    double term = 1.0, cosine = 1.0;
    for (int k = 1; k <= 12; ++k) {
      term *= -a * a / ((2.0 * k - 1.0) * (2.0 * k));
      cosine += term;
    }
    nodes[i] = half_width * (mirrored ? -cosine : cosine);
    double lanes[simd::kLanes];
    simd::Store(function(Set(middle + nodes[i])), lanes);
    difference[i] = lanes[0];
  }
  for (size_t order = 1; order < N; ++order) {
    for (size_t i = N - 1; i >= order; --i) {
      difference[i] = (difference[i] - difference[i - 1]) / (nodes[i] - nodes[i - order]);
    }
  }
  double out[N] = {};
  for (size_t i = N; i-- > 0;) {
    for (size_t d = N - 1; d > 0; --d) out[d] = out[d - 1] - nodes[i] * out[d];
    out[0] = difference[i] - nodes[i] * out[0];
  }
  for (size_t i = 0; i < N; ++i) std::fill_n(coefficients[i], kTileLanes, out[i]);
}

std::shared_ptr<const RcsdTables> MakeTables(double dt_ms) {
  const StepConstants k = MakeStepConstants(dt_ms);
  auto tables = std::make_shared<RcsdTables>();
  tables->spiking = MakeTable([&](Vec v) HWY_ATTR { return rcsd::SpikingFunctions(k, v); });
  tables->slow = MakeTable([&](Vec v) HWY_ATTR { return rcsd::SlowFunctions(k, v); });
  tables->calcium = MakeTable([&](Vec v) HWY_ATTR { return rcsd::CalciumFunctions(v); });
  tables->ka = MakeTable([&](Vec v) HWY_ATTR { return rcsd::KaFunctions(v); });
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

std::shared_ptr<const RcsdTables> MakeRcsdTables(double dt_ms) {
  return HWY_DYNAMIC_DISPATCH(MakeTables)(dt_ms);
}

}  // namespace livnd::sim
#endif  // HWY_ONCE
