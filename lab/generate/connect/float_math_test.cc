#include "lab/generate/connect/float_math.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gtest/gtest.h"
#include "hwy/targets.h"
#include "lab/generate/testing/numpy_draws_file.h"

namespace livnd::lab {
namespace {

// Runs a test on every instruction set of this host.
template <typename F>
void OnEachTarget(const F& f) {
  for (const int64_t target : {HWY_SCALAR, HWY_AVX2, HWY_AVX3}) {
    if (target != HWY_SCALAR && (hwy::SupportedTargets() & target) == 0) continue;
    hwy::SetSupportedTargetsForTest(target);
    f(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(0);
  }
}

TEST(FloatMath, ExpIsNumpys) {
  const io::Json draws = ReadNumpyDraws();
  const std::vector<float> x = Floats(draws["exp"]["x"]), expected = Floats(draws["exp"]["y"]);
  OnEachTarget([&](const char* target) {
    std::vector<float> y(x.size());
    ExpOf(x.data(), y.data(), x.size());
    for (size_t i = 0; i < x.size(); ++i) EXPECT_EQ(y[i], expected[i]) << target << " of " << x[i];
  });
}

TEST(FloatMath, EighthsAreAddedInTheirOrder) {
  OnEachTarget([](const char* target) {
    for (const size_t size : {0, 5, 8, 83}) {
      std::vector<float> x(size);
      // Of sizes that round differently in every other order.
      for (size_t i = 0; i < size; ++i) x[i] = std::exp(static_cast<float>((i * 37) % 61) - 40.0f);
      double sums[8], expected[8];
      float most[8], largest[8];
      for (size_t k = 0; k < 8; ++k) {
        sums[k] = expected[k] = 0.1 * static_cast<double>(k);
        most[k] = largest[k] = 1e-3f;
        for (size_t i = k; i < size; i += 8) {
          expected[k] += static_cast<double>(x[i]);
          largest[k] = std::max(largest[k], x[i]);
        }
      }
      AddEighths(x.data(), size, sums, most);
      for (size_t k = 0; k < 8; ++k) {
        EXPECT_EQ(sums[k], expected[k]) << target << " " << size;
        EXPECT_EQ(most[k], largest[k]) << target << " " << size;
      }
    }
  });
}

TEST(FloatMath, SineAndCosineAreNumpys) {
  const io::Json draws = ReadNumpyDraws();
  const std::vector<float> x = Floats(draws["angles"]["x"]);
  OnEachTarget([&](const char* target) {
    std::vector<float> sine(x.size()), cosine(x.size());
    SinCosOf(x.data(), sine.data(), cosine.data(), x.size());
    EXPECT_EQ(sine, Floats(draws["angles"]["sin"])) << target;
    EXPECT_EQ(cosine, Floats(draws["angles"]["cos"])) << target;
  });
}

TEST(FloatMath, KernelsHaveTheirShape) {
  const std::vector<float> x = {3, 30, 300, 0}, y = {4, 40, 400, 0};
  for (const bool gaussian : {false, true}) {
    std::vector<float> distance(4), weight(4), again(4);
    KernelFrom({gaussian, 60.0}, 0, 0, x.data(), y.data(), distance.data(), weight.data(), 4);
    KernelAt({gaussian, 60.0}, distance.data(), again.data(), 4);
    EXPECT_EQ(distance, (std::vector<float>{5, 50, 500, 0}));
    EXPECT_EQ(weight, again);
    for (size_t i = 0; i < 4; ++i) {
      const double d = distance[i];
      const double expected = gaussian ? std::exp(-d * d / 7200.0) : std::exp(-d / 60.0);
      EXPECT_NEAR(weight[i], expected, 1e-6 * expected);
    }
  }
}

}  // namespace
}  // namespace livnd::lab
