#include "io/signal/electrode_noise.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include "base/field_error_matchers.h"
#include "gtest/gtest.h"

namespace livnd::io {
namespace {

TEST(ElectrodeNoiseTest, IsAFunctionOfSeedChannelAndTick) {
  const ElectrodeNoise noise = *ElectrodeNoise::Create(5.0, 0x123456789abcdef0);
  std::vector<double> forwards, backwards(30);
  for (int64_t tick = 0; tick < 10; ++tick) {
    std::vector<double> row(3, 100.0);
    noise.Add(tick << 40, absl::MakeSpan(row));
    forwards.insert(forwards.end(), row.begin(), row.end());
  }
  for (int64_t tick = 9; tick >= 0; --tick) {
    for (int c = 2; c >= 0; --c) {
      backwards[static_cast<size_t>(3 * tick + c)] = 100.0 + noise.At(c, tick << 40);
    }
  }
  EXPECT_EQ(forwards, backwards);
  // By another program of the same definition.
  EXPECT_DOUBLE_EQ(ElectrodeNoise::Create(1.0, 1)->At(0, 0), -0.046157084610550236);
  EXPECT_DOUBLE_EQ(noise.At(5, (int64_t{77} << 32) + 3), 5.0 * -0.05680343588671557);
}

TEST(ElectrodeNoiseTest, DiffersBySeedChannelAndTick) {
  const ElectrodeNoise noise = *ElectrodeNoise::Create(5.0, 1);
  const double x = noise.At(3, 77);
  EXPECT_NE(x, noise.At(4, 77));
  EXPECT_NE(x, noise.At(3, 78));
  EXPECT_NE(x, noise.At(3, 77 + (int64_t{1} << 32)));
  EXPECT_NE(x, ElectrodeNoise::Create(5.0, 2)->At(3, 77));
  EXPECT_NE(x, ElectrodeNoise::Create(5.0, 1 + (uint64_t{1} << 32))->At(3, 77));
  EXPECT_EQ(2.0 * x, ElectrodeNoise::Create(10.0, 1)->At(3, 77));
}

// Moments, tails and correlation of a million numbers within five of their standard errors.
TEST(ElectrodeNoiseTest, IsWhiteAndNormal) {
  const ElectrodeNoise noise = *ElectrodeNoise::Create(1.0, 42);
  constexpr int kChannels = 10, kTicks = 100'000;
  constexpr double kN = 1.0 * kChannels * kTicks;
  double sum = 0.0, squares = 0.0, fourth = 0.0, next_tick = 0.0, next_channel = 0.0;
  int beyond_two = 0, beyond_four = 0;
  for (int64_t tick = 0; tick < kTicks; ++tick) {
    for (int c = 0; c < kChannels; ++c) {
      const double x = noise.At(c, tick);
      sum += x;
      squares += x * x;
      fourth += x * x * x * x;
      next_tick += x * noise.At(c, tick + 1);
      next_channel += x * noise.At(c + 1, tick);
      beyond_two += std::fabs(x) > 2.0 ? 1 : 0;
      beyond_four += std::fabs(x) > 4.0 ? 1 : 0;
    }
  }
  const double five = 5.0 / std::sqrt(kN);
  EXPECT_NEAR(sum / kN, 0.0, five);
  EXPECT_NEAR(squares / kN, 1.0, five * std::sqrt(2.0));
  EXPECT_NEAR(fourth / kN, 3.0, five * std::sqrt(96.0));
  EXPECT_NEAR(next_tick / kN, 0.0, five);
  EXPECT_NEAR(next_channel / kN, 0.0, five);
  EXPECT_NEAR(beyond_two / kN, 0.0455003, five * std::sqrt(0.0455));
  EXPECT_NEAR(beyond_four / kN, 6.334e-5, five * std::sqrt(6.334e-5));
}

TEST(ElectrodeNoiseTest, TakesAnRms) {
  EXPECT_EQ(ElectrodeNoise::Create(0.0, 1)->At(0, 0), 0.0);
  EXPECT_THAT(ElectrodeNoise::Create(-1.0, 1).status(),
              IsFieldError("noise_rms_uv", "-1", "0 .. 1e6 (uV)"));
  EXPECT_FALSE(ElectrodeNoise::Create(std::nan(""), 1).ok());
}

}  // namespace
}  // namespace livnd::io
