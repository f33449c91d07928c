#include "io/decoding/density/baks.h"

#include <cmath>
#include <vector>

#include "base/field_error_matchers.h"
#include "gtest/gtest.h"
#include "io/decoding/testing/decode.h"

namespace livnd::io {
namespace {

const std::vector<double> kSpikes = {0.1, 0.2, 0.3};
const std::vector<double> kTimes = {0.0, 0.1, 0.2, 0.25, 0.3, 0.4};
const std::vector<double> kRates = {2.700110283, 3.010143345, 3.124044685,
                                    3.095036999, 3.010143345, 2.700110283};

// Worked case DE22.
TEST(BaksTest, DE22Rates) {
  const double beta = std::pow(3.0, 0.42);
  for (size_t i = 0; i < kTimes.size(); ++i) {
    EXPECT_NEAR(BaksRate(kSpikes, kTimes[i], 4.77, beta), kRates[i], 1e-8);
  }
  EXPECT_EQ(BaksRate({}, 0.1, 4.77, 1.0), 0.0);
}

TEST(BaksTest, RatesOfUnitsAtTimes) {
  const auto decoded =
      Decode("{name: baks, step_ms: 50}", WindowOf(2, 500.0), {1, 1, 1}, {100, 200, 300});
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  const std::vector<double>& rates = decoded->at("rate_hz");
  ASSERT_EQ(rates.size(), 20u);
  for (size_t i = 0; i < 10; ++i) EXPECT_EQ(rates[i], 0.0);
  for (size_t i = 0; i < kTimes.size(); ++i) {
    EXPECT_NEAR(rates[10 + static_cast<size_t>(kTimes[i] * 20.0 + 0.5)], kRates[i], 1e-8);
  }
}

TEST(BaksTest, FarFromAllSpikesItIsStillANumber) {
  for (const double time : {1e3, 1e6, 1e9}) {
    const double rate = BaksRate(kSpikes, time, 50.0, 1e6);
    EXPECT_TRUE(std::isfinite(rate) && rate >= 0.0) << time;
  }
}

TEST(BaksTest, OneThresholdOrOneForEachGroup) {
  const DecodingWindow window = WindowOf(4, 500.0, {{"A", 0, 2}, {"B", 2, 2}});
  const char* both = "{name: spike_density, active_threshold_hz: [0.01, 1000]}";
  const auto decoded = Decode(both, window, {0, 0, 2, 2}, {100, 200, 100, 200});
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->at("mean_fraction")[0], 0.5);
  EXPECT_EQ(decoded->at("mean_fraction")[1], 0.0);
  EXPECT_EQ(decoded->at("num_active"), (std::vector<double>{1, 1}));
  EXPECT_THAT(MakeOfText("{name: spike_density, active_threshold_hz: [1, 2, 3]}", window).status(),
              IsFieldError("active_threshold_hz", "3 numbers", "one, or 2 for the groups"));
  EXPECT_THAT(MakeOfText("{name: spike_density, step_ms: 500}", window).status(),
              IsFieldError("step_ms", "500", "less than 500: two times in a window"));
}

}  // namespace
}  // namespace livnd::io
