#include "sim/simd/math.h"

#include <cmath>
#include <limits>
#include <random>

#include "gtest/gtest.h"

namespace livnd::sim::simd {
namespace {

double Lane0(Vec v) {
  double lanes[kLanes];
  Store(v, lanes);
  return lanes[0];
}

// Distance from the true value in units of its last place.
double UlpError(double got, long double want) {
  int exponent;
  std::frexp(static_cast<double>(want), &exponent);
  return static_cast<double>(std::fabs(got - want) / std::ldexp(1.0L, exponent - 53));
}

TEST(MathTest, ExpIsWithinTwoUlp) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> wide(-700.0, 700.0), narrow(-5.0, 5.0);
  double worst = 0.0;
  for (int i = 0; i < 400000; ++i) {
    const double x = i % 2 ? wide(random) : narrow(random);
    worst = std::max(worst, UlpError(Lane0(Exp(Set(x))), std::exp(static_cast<long double>(x))));
  }
  EXPECT_LT(worst, 2.0);
}

TEST(MathTest, LogIsWithinTwoUlp) {
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> exponent(-300.0, 300.0), near_one(0.5, 2.0);
  double worst = 0.0;
  for (int i = 0; i < 400000; ++i) {
    const double x = i % 2 ? std::exp(exponent(random)) : near_one(random);
    worst = std::max(worst, UlpError(Lane0(Log(Set(x))), std::log(static_cast<long double>(x))));
  }
  EXPECT_LT(worst, 2.0);
}

TEST(MathTest, ExpStaysFiniteFarOutAndKeepsNan) {
  EXPECT_TRUE(std::isfinite(Lane0(Exp(Set(1e9)))));
  EXPECT_LT(Lane0(Exp(Set(-1e12))), 1e-300);
  EXPECT_GT(Lane0(Exp(Set(-1e12))), 0.0);
  EXPECT_TRUE(std::isnan(Lane0(Exp(Set(std::numeric_limits<double>::quiet_NaN())))));
}

TEST(MathTest, LanesDoNotSeeEachOther) {
  double in[kLanes], together[kLanes];
  for (int i = 0; i < kLanes; ++i) in[i] = -3.7 + 1.9 * i;
  Store(Exp(Load(in)), together);
  for (int i = 0; i < kLanes; ++i) EXPECT_EQ(together[i], Lane0(Exp(Set(in[i]))));
}

}  // namespace
}  // namespace livnd::sim::simd
