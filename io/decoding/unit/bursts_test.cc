#include "io/decoding/unit/bursts.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "io/decoding/testing/decode.h"

namespace livnd::io {
namespace {

TEST(BurstsTest, RunsThatAreFastAndLongEnough) {
  // Unit 0: 3 spikes of 10 ms intervals, a pair, 4 spikes; unit 1: too slow.
  const auto decoded = Decode("{name: bursts, max_isi_ms: 10, min_spikes: 3}", WindowOf(2, 1000.0),
                              {0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1},
                              {10, 20, 30, 100, 105, 500, 505, 510, 520, 0, 11, 22});
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->at("num_bursts"), (std::vector<double>{2, 0}));
  EXPECT_EQ(decoded->at("rate_hz"), (std::vector<double>{2, 0}));
  EXPECT_DOUBLE_EQ(decoded->at("fraction_in_bursts")[0], 7.0 / 9.0);
  EXPECT_EQ(decoded->at("fraction_in_bursts")[1], 0.0);
  EXPECT_DOUBLE_EQ(decoded->at("mean_duration_ms")[0], 20.0);
}

TEST(BurstsTest, AnIntervalOfJustTheLimitIsWithinIt) {
  for (const int64_t ticks : {1, 3, 7, 120, 4001}) {
    BurstsConfig config;
    config.min_spikes = 2;
    config.max_isi_ms = static_cast<double>(ticks) * 0.025;
    const auto decoding = MakeDecoding<Bursts>(config, WindowOf(1, 1000.0));
    ASSERT_TRUE(decoding.ok()) << decoding.status();
    EXPECT_EQ(DecodeWindow(**decoding, {{0, 5}, {0, 5 + ticks}})->at(0), 1.0) << ticks;
    EXPECT_EQ(DecodeWindow(**decoding, {{0, 5}, {0, 6 + ticks}})->at(0), 0.0) << ticks;
  }
}

}  // namespace
}  // namespace livnd::io
