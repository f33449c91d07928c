// The tables against the functions that they stand for.
#include "sim/cell/rcsd/rcsd_tables.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "gtest/gtest.h"
#include "sim/cell/rcsd/rcsd_functions.h"
#include "sim/cell/rcsd/rcsd_kernel.h"
#include "sim/cell/rcsd/rcsd_membrane.h"
#include "sim/simd/table.h"

// The exact functions are those of the portable path; tables are made and read by any.
HWY_BEFORE_NAMESPACE();
namespace livnd::sim::HWY_NAMESPACE {
namespace {

using rcsd::Functions;
using simd::Vec;

constexpr double kDtMs = 0.025;

// Largest relative difference of each function of a part between -127.99 and 127.99 mV. `floor`:
// smallest magnitude that still counts relatively.
template <int kRow, class Exact>
void ExpectNear(const std::string& name, const AlignedVector& table, int part, Exact exact,
                double relative, double floor) {
  SCOPED_TRACE(name);
  double worst[4] = {}, where[4] = {};
  for (double v = -127.99; v < 127.9; v += 0.00717 * simd::kLanes) {
    double lanes[simd::kLanes];
    for (int i = 0; i < simd::kLanes; ++i) lanes[i] = v + 0.00717 * i;
    const Vec at = simd::Load(lanes);
    Vec got[4];
    simd::TableIndex index;
    simd::IndexOf<kRow>(table.data(), at, index);
    simd::Evaluate(part * simd::kTablePart, index, got);
    const Functions want = exact(at);
    for (int k = 0; k < 4; ++k) {
      double g[simd::kLanes], w[simd::kLanes];
      simd::Store(got[k], g);
      simd::Store(want[k], w);
      for (int i = 0; i < simd::kLanes; ++i) {
        const double difference = std::fabs(g[i] - w[i]) / std::max(std::fabs(w[i]), floor);
        if (!(difference <= worst[k])) {
          worst[k] = difference;
          where[k] = lanes[i];
        }
      }
    }
  }
  for (int k = 0; k < 4; ++k) {
    EXPECT_LT(worst[k], relative) << "function " << k << " at " << where[k] << " mV";
  }
}

TEST(RcsdTablesTest, FunctionsAreExactToAFewPartsInTenToTheThirteen) {
  const MagnesiumBlock block = {0.062, -3.0, 0.28};
  const std::shared_ptr<const RcsdTables> tables = MakeRcsdTables(kDtMs, block);
  const StepConstants k = MakeStepConstants(kDtMs);
  // What is kept of h beyond +80 mV is a small exponential.
  const auto spiking = [&](Vec v) { return rcsd::SpikingFunctions(k, v); };
  ExpectNear<rcsd::kSomaRow>("soma, spiking", tables->soma, 0, spiking, 2e-12, 1e-3);
  ExpectNear<rcsd::kSomaRow>(
      "soma, slow", tables->soma, 1, [&](Vec v) { return rcsd::SomaSlowFunctions(k, block, v); },
      5e-13, 1e-3);
  ExpectNear<rcsd::kSomaRow>(
      "soma, calcium", tables->soma, 2, [&](Vec v) { return rcsd::SomaCalciumFunctions(k, v); },
      5e-13, 1e-3);
  ExpectNear<rcsd::kDendRow>(
      "dendrite, slow", tables->dend, 0,
      [&](Vec v) { return rcsd::DendSlowFunctions(k, block, v); }, 5e-13, 1e-3);
  ExpectNear<rcsd::kDendRow>(
      "dendrite, calcium", tables->dend, 1, [&](Vec v) { return rcsd::DendCalciumFunctions(v); },
      5e-13, 1e-3);
  ExpectNear<rcsd::kAxonRow>("axon, spiking", tables->axon, 0, spiking, 2e-12, 1e-3);
}

TEST(RcsdTablesTest, TheAxonsPotassiumKeptIsExactToAFewPartsInTenToTheThirteen) {
  const std::shared_ptr<const RcsdTables> tables = MakeRcsdTables(kDtMs);
  const StepConstants k = MakeStepConstants(kDtMs);
  for (double v = -127.99; v < 127.9; v += 0.00717) {
    const Vec at = simd::Set(v);
    simd::TableIndex index;
    simd::IndexOf<rcsd::kAxonRow>(tables->axon.data(), at, index);
    double got[simd::kLanes], want[simd::kLanes];
    simd::Store(simd::EvaluateLine(simd::kTablePart, index), got);
    simd::Store(rcsd::PotassiumKept(k, at), want);
    EXPECT_NEAR(got[0], want[0], 5e-13 * std::max(want[0], 1e-3)) << v;
  }
}

// P and Q where they are computed in another way than livn does: against long doubles.
TEST(GhkFunctionsTest, AreExactNearZeroAndFarFromIt) {
  for (const double f : {rcsd::kGhkCanMv, rcsd::kGhkCalMv}) {
    for (double v = -150.0; v < 150.0; v += 0.137) {
      auto p = [&](long double x) {
        const long double z = x / static_cast<long double>(f);
        return std::fabs(z) < 1e-9L ? f * (1.0L - z / 2.0L) : x / std::expm1(z);
      };
      const long double d = rcsd::kSecantMv;
      const rcsd::GhkFunctions got = rcsd::GhkAt(simd::Set(v), f);
      double at_p[simd::kLanes], at_q[simd::kLanes];
      simd::Store(got.p, at_p);
      simd::Store(got.q, at_q);
      const auto want_p = static_cast<double>(p(v));
      const auto want_q = static_cast<double>((p(v + d) - p(v)) / d);
      EXPECT_NEAR(at_p[0], want_p, 2e-15 * (std::fabs(want_p) + 1.0)) << v;
      EXPECT_NEAR(at_q[0], want_q, 4e-14) << v;  // what the difference loses in long doubles
    }
  }
}

TEST(RcsdTablesTest, ReversalPotentialsAreTheSeries) {
  const std::shared_ptr<const RcsdTables> tables = MakeRcsdTables(kDtMs);
  auto compare = [](const auto& polynomial, auto exact) {
    using Polynomial = std::decay_t<decltype(polynomial)>;
    for (int i = -100; i <= 100; ++i) {
      const double x = Polynomial::kHalfWidth * i / 100.0;
      double e = polynomial.coefficients[Polynomial::kDegree][0];
      for (int d = Polynomial::kDegree - 1; d >= 0; --d) {
        e = std::fma(e, x, polynomial.coefficients[d][0]);
      }
      double want[simd::kLanes];
      simd::Store(exact(simd::Set(Polynomial::kMiddle + x)), want);
      EXPECT_NEAR(e, want[0], 2e-12) << x;
    }
  };
  compare(tables->sodium, [](Vec u) { return rcsd::SodiumReversal(u); });
  compare(tables->potassium, [](Vec u) { return rcsd::PotassiumReversal(u); });
}

}  // namespace
}  // namespace livnd::sim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
