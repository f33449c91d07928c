#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sim/simd/math_test.cc"
#include "hwy/foreach_target.h"
// foreach_target.h comes before whatever uses instructions.
#include "sim/simd/math.h"
#include "sim/simd/vec.h"

HWY_BEFORE_NAMESPACE();
namespace livnd::sim::HWY_NAMESPACE {
namespace {

// n numbers, any n; whole vectors are computed.
template <class Function>
void Map(const double* in, int n, double* out, Function function) {
  for (int i = 0; i < n; i += simd::kLanes) {
    double lanes[simd::kLanes] = {};
    const int left = n - i < simd::kLanes ? n - i : simd::kLanes;
    for (int k = 0; k < left; ++k) lanes[k] = in[i + k];
    simd::Store(function(simd::Load(lanes)), lanes);
    for (int k = 0; k < left; ++k) out[i + k] = lanes[k];
  }
}
void ExpOf(const double* in, int n, double* out) {
  Map(in, n, out, [](simd::Vec x) HWY_ATTR { return simd::Exp(x); });
}
void LogOf(const double* in, int n, double* out) {
  Map(in, n, out, [](simd::Vec x) HWY_ATTR { return simd::Log(x); });
}

}  // namespace
}  // namespace livnd::sim::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "sim/simd/instruction_set.h"

namespace livnd::sim {
HWY_EXPORT(ExpOf);
HWY_EXPORT(LogOf);
namespace {

using Numbers = std::vector<double>;

Numbers Exp(const Numbers& x) {
  Numbers y(x.size());
  HWY_DYNAMIC_DISPATCH(ExpOf)(x.data(), static_cast<int>(x.size()), y.data());
  return y;
}
Numbers Log(const Numbers& x) {
  Numbers y(x.size());
  HWY_DYNAMIC_DISPATCH(LogOf)(x.data(), static_cast<int>(x.size()), y.data());
  return y;
}

class MathTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { ASSERT_TRUE(UseInstructionSet(GetParam()).ok()); }
};

// Distance from the true value in units of its last place.
double UlpError(double got, long double want) {
  int exponent;
  std::frexp(static_cast<double>(want), &exponent);
  return static_cast<double>(std::fabs(got - want) / std::ldexp(1.0L, exponent - 53));
}

Numbers Draw(uint64_t seed, double low, double high, int n) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(low, high);
  Numbers x(n);
  for (double& a : x) a = uniform(random);
  return x;
}

TEST_P(MathTest, ExpIsWithinTwoUlp) {
  for (const Numbers& x : {Draw(1, -700.0, 700.0, 200000), Draw(2, -5.0, 5.0, 200000)}) {
    const Numbers y = Exp(x);
    double worst = 0.0;
    for (size_t i = 0; i < x.size(); ++i) {
      worst = std::max(worst, UlpError(y[i], std::exp(static_cast<long double>(x[i]))));
    }
    EXPECT_LT(worst, 2.0);
  }
}

TEST_P(MathTest, LogIsWithinTwoUlp) {
  Numbers wide = Draw(3, -300.0, 300.0, 200000);
  for (double& a : wide) a = std::exp(a);
  for (const Numbers& x : {wide, Draw(4, 0.5, 2.0, 200000)}) {
    const Numbers y = Log(x);
    double worst = 0.0;
    for (size_t i = 0; i < x.size(); ++i) {
      worst = std::max(worst, UlpError(y[i], std::log(static_cast<long double>(x[i]))));
    }
    EXPECT_LT(worst, 2.0);
  }
}

TEST_P(MathTest, ExpStaysFiniteFarOutAndKeepsNan) {
  const Numbers y = Exp({1e9, -1e12, std::numeric_limits<double>::quiet_NaN()});
  EXPECT_TRUE(std::isfinite(y[0]));
  EXPECT_LT(y[1], 1e-300);
  EXPECT_GT(y[1], 0.0);
  EXPECT_TRUE(std::isnan(y[2]));
}

TEST_P(MathTest, LanesDoNotSeeEachOther) {
  Numbers x;
  for (int i = 0; i < 16; ++i) x.push_back(-3.7 + 0.9 * i);
  const Numbers together = Exp(x);
  for (size_t i = 0; i < x.size(); ++i) EXPECT_EQ(together[i], Exp({x[i]})[0]);
}

TEST_P(MathTest, BitsAreThoseOfTheOtherInstructionSets) {
  const Numbers x = Draw(5, -700.0, 700.0, 50000), positive = Draw(6, 1e-9, 1e9, 50000);
  const Numbers exp = Exp(x), log = Log(positive);
  for (const std::string& other : InstructionSets()) {
    ASSERT_TRUE(UseInstructionSet(other).ok());
    EXPECT_EQ(Exp(x), exp) << other;
    EXPECT_EQ(Log(positive), log) << other;
  }
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, MathTest, ::testing::ValuesIn(InstructionSets()),
                         [](const auto& set) { return set.param; });

}  // namespace
}  // namespace livnd::sim
#endif  // HWY_ONCE
