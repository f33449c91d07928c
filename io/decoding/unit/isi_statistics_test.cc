#include "io/decoding/unit/isi_statistics.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "io/decoding/testing/decode.h"

namespace livnd::io {
namespace {

TEST(IsiStatisticsTest, LocalVariationForgetsSlowChanges) {
  // Intervals of 10, 10, 10, 20, 20, 20 ms.
  const auto decoded = Decode("isi_statistics", WindowOf(2, 200.0), {1, 1, 1, 1, 1, 1, 1},
                              {0, 10, 20, 30, 50, 70, 90});
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_DOUBLE_EQ(decoded->at("mean_isi_ms")[1], 15.0);
  EXPECT_DOUBLE_EQ(decoded->at("cv")[1], 1.0 / 3.0);
  EXPECT_DOUBLE_EQ(decoded->at("lv")[1], 3.0 / 9.0 / 5.0);
  EXPECT_DOUBLE_EQ(decoded->at("mean_lv")[0], 3.0 / 9.0 / 5.0);
  EXPECT_EQ(decoded->at("num_used")[0], 1.0);
}

TEST(IsiStatisticsTest, ARegularTrainHasNoVariation) {
  std::vector<double> times;
  for (int i = 0; i < 1000; ++i) times.push_back(0.7 * i);
  const auto decoded =
      Decode("isi_statistics", WindowOf(1, 1000.0), std::vector<int32_t>(1000, 0), times);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->at("cv")[0], 0.0);
  EXPECT_EQ(decoded->at("lv")[0], 0.0);
}

TEST(IsiStatisticsTest, SpikesOfOneTickAreNoIntervals) {
  const auto decoded =
      Decode("isi_statistics", WindowOf(1, 10.0), {0, 0, 0, 0, 0}, {1, 1, 1, 1, 1});
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->at("num_used")[0], 0.0);
}

}  // namespace
}  // namespace livnd::io
