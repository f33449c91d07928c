#include "io/decoding/network/avalanches.h"

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "io/decoding/testing/decode.h"

namespace livnd::io {
namespace {

// Avalanches of one bin each, whose sizes have density size^-exponent between 1 and 1000.
std::vector<double> Fit(double exponent, const char* fit) {
  std::vector<double> cumulated;
  double sum = 0.0;
  for (int size = 1; size <= 1000; ++size) cumulated.push_back(sum += std::pow(size, -exponent));
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> uniform(0.0, sum);
  constexpr int kNum = 20'000;
  std::vector<UnitSpike> spikes;
  for (int i = 0; i < kNum; ++i) {
    const double u = uniform(random);
    int64_t size = 1;
    while (cumulated[static_cast<size_t>(size - 1)] < u) ++size;
    for (int64_t s = 0; s < size; ++s) spikes.push_back({0, i * 2 * 160});
  }
  const auto decoding =
      MakeOfText(absl::StrCat("{name: avalanches, fit: ", fit, "}"), WindowOf(1, kNum * 8.0));
  EXPECT_TRUE(decoding.ok()) << decoding.status();
  const auto values = DecodeWindow(**decoding, spikes);
  EXPECT_TRUE(values.ok()) << values.status();
  EXPECT_EQ(values->at(0), kNum);
  return {values->at(4), values->at(5)};
}

TEST(AvalanchesTest, TheExponentIsThatOfTheDensity) {
  for (const double exponent : {1.5, 2.0}) {
    const std::vector<double> fit = Fit(exponent, "density");
    EXPECT_NEAR(fit[0], exponent, 0.1) << exponent;
    EXPECT_GT(fit[1], 0.97);
  }
}

TEST(AvalanchesTest, LivnsExponentIsOneLess) { EXPECT_NEAR(Fit(1.5, "counts")[0], 0.5, 0.1); }

TEST(AvalanchesTest, BinsThatAreNoWholeTicksCount) {
  // 0.03 ms is 1.2 ticks: ticks 0, 1, 2, 3, 4, 5, 6 are in bins 0, 0, 1, 2, 3, 4, 5.
  const auto decoded = Decode("{name: avalanches, bin_ms: 0.03}", WindowOf(1, 1.0), {0, 0, 0, 0},
                              {0.0, 0.025, 0.05, 0.1});
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->at("num_avalanches")[0], 2.0);
  EXPECT_EQ(decoded->at("mean_duration")[0], 1.5);
  EXPECT_EQ(decoded->at("branching_ratio")[0], 0.5);
}

TEST(AvalanchesTest, ThereIsRoomForOneInEveryOtherBin) {
  std::vector<double> times;
  for (int i = 0; i < 100; ++i) times.push_back(8.0 * i);
  const auto decoded =
      Decode("avalanches", WindowOf(1, 796.1), std::vector<int32_t>(100, 0), times);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->at("num_avalanches")[0], 100.0);
  EXPECT_EQ(decoded->at("mean_size")[0], 1.0);
}

}  // namespace
}  // namespace livnd::io
