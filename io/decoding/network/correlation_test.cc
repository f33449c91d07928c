#include "io/decoding/network/correlation.h"

#include <cstdint>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "io/decoding/testing/decode.h"

namespace livnd::io {
namespace {

TEST(CorrelationTest, TheMeanIsThatOfTheMatrix) {
  std::mt19937_64 random(3);
  std::vector<int32_t> units;
  std::vector<double> times;
  for (int i = 0; i < 400; ++i) {
    // Unit 4 never fires.
    const auto unit = static_cast<int32_t>(random() % 5);
    units.push_back(unit == 4 ? 5 : unit);
    times.push_back(static_cast<double>(random() % 39'999) * 0.025);
  }
  const auto decoded =
      Decode("{name: correlation, matrix: true}", WindowOf(6, 1000.0), units, times);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  const std::vector<double>& matrix = decoded->at("correlation");
  double sum = 0.0;
  for (size_t a = 0; a < 6; ++a) {
    EXPECT_NEAR(matrix[a * 6 + a], a == 4 ? 0.0 : 1.0, 1e-12);
    for (size_t b = a + 1; b < 6; ++b) {
      EXPECT_EQ(matrix[a * 6 + b], matrix[b * 6 + a]);
      sum += matrix[a * 6 + b];
    }
  }
  EXPECT_EQ(decoded->at("num_pairs")[0], 10.0);
  EXPECT_NEAR(decoded->at("mean")[0], sum / 10.0, 1e-12);
}

TEST(CorrelationTest, EqualTrainsAreOneAndOppositeOnesMinusOne) {
  const auto decoded = Decode("{name: correlation, bin_ms: 10, matrix: true}", WindowOf(3, 40.0),
                              {0, 1, 0, 1, 2, 2}, {1, 2, 21, 22, 11, 31});
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_NEAR(decoded->at("correlation")[1], 1.0, 1e-12);
  EXPECT_NEAR(decoded->at("correlation")[2], -1.0, 1e-12);
}

TEST(CorrelationTest, TooFewUnitsHaveNoMean) {
  const auto decoded =
      Decode("{name: correlation, min_units: 3}", WindowOf(3, 100.0), {0, 1}, {1, 2});
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->at("mean")[0], 0.0);
  EXPECT_EQ(decoded->at("num_pairs")[0], 0.0);
}

}  // namespace
}  // namespace livnd::io
