#include "io/decoding/decoding.h"

#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "base/field_error_matchers.h"
#include "gtest/gtest.h"
#include "io/coding/state_layout.h"
#include "io/decoding/testing/decode.h"

namespace livnd::io {
namespace {

TEST(DecodingTest, UnknownNamesAreToldTheNearest) {
  EXPECT_THAT(MakeOfText("netwrk_bursts", WindowOf(1, 100.0)).status(),
              IsFieldError("name", "netwrk_bursts",
                           testing::StartsWith("network_bursts (the nearest), or spike_counts, ")));
  EXPECT_THAT(MakeOfText("{name: synchrony, bin: 2}", WindowOf(1, 100.0)).status(),
              IsFieldError("bin", "an unknown name", "bin_ms (the nearest), or bin_ms"));
  EXPECT_THAT(MakeOfText("{name: spike_counts, bin_ms: 2}", WindowOf(1, 100.0)).status(),
              IsFieldError("bin_ms", "an unknown name", "name alone"));
}

TEST(DecodingTest, WhatWouldTakeTooMuchIsRefusedBeforeAnythingIsTaken) {
  EXPECT_THAT(MakeOfText("{name: count_statistics, bin_ms: 0.001}", WindowOf(1, 1e5)).status(),
              IsFieldError("bin_ms", "0.001", testing::HasSubstr("at least")));
  EXPECT_THAT(MakeOfText("{name: correlation, bin_ms: 1}", WindowOf(1 << 20, 1e5)).status(),
              IsFieldError("", testing::StartsWith("a state of"), testing::_));
  EXPECT_THAT(MakeOfText("van_rossum", WindowOf(1 << 20, 1e5)).status(),
              IsFieldError("", testing::StartsWith("a state of"), testing::_));
  EXPECT_THAT(MakeOfText("{name: baks, max_spikes: 1}", WindowOf(1000, 1e4)).status(),
              IsFieldError("", testing::StartsWith("an answer of"), testing::_));
  EXPECT_THAT(MakeOfText("{name: correlation, matrix: true}", WindowOf(2000, 1e4)).status(),
              IsFieldError("matrix", "true", testing::_));
  EXPECT_THAT(
      MakeOfText("{name: autocorrelation_time, bin_ms: 0.1, max_lag_ms: 1e5}", WindowOf(1, 1e5))
          .status(),
      IsFieldError("max_lag_ms", "100000", testing::_));
}

TEST(DecodingTest, SpikesBeyondThoseThatAreKeptAreAnError) {
  const auto four = Decode("{name: victor_purpura, max_spikes: 4}", WindowOf(2, 10.0), {0, 1, 0, 1},
                           {1, 2, 3, 4});
  EXPECT_TRUE(four.ok()) << four.status();
  const auto five = Decode("{name: victor_purpura, max_spikes: 4}", WindowOf(2, 10.0),
                           {0, 1, 0, 1, 1}, {1, 2, 3, 4, 5});
  EXPECT_TRUE(absl::IsResourceExhausted(five.status())) << five.status();
}

TEST(DecodingTest, PotentialsThatAreNoneAreRefused) {
  const auto decoding = MakeOfText("{name: lfp_bands, lowpass_hz: 0}", WindowOf(2, 1.0));
  ASSERT_TRUE(decoding.ok()) << decoding.status();
  EXPECT_EQ((*decoding)->heard(), Heard::kPotentials);
  std::vector<double> potentials(20, 1.0);
  EXPECT_TRUE(DecodeWindow(**decoding, {}, potentials).ok());
  potentials[7] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(DecodeWindow(**decoding, {}, potentials).status(),
              IsFieldError("samples[7]", "nan", "-1e+12 .. 1e+12"));
  potentials.resize(19);
  EXPECT_THAT(DecodeWindow(**decoding, {}, potentials).status(),
              IsFieldError("samples", "19 numbers", "20: samples by units"));
}

TEST(DecodingTest, WhatIsNotHeardIsNotGiven) {
  const DecodingWindow window = WindowOf(1, 1.0);
  EXPECT_THAT(DecodeWindow(**MakeOfText("{name: lfp, lowpass_hz: 0}", window), {{0, 1}},
                           std::vector<double>(10))
                  .status(),
              IsFieldError("spikes", "1", testing::HasSubstr("samples alone")));
  EXPECT_THAT(DecodeWindow(**MakeOfText("spike_counts", window), {{0, 1}}, {1.0}).status(),
              IsFieldError("samples", "1 numbers", testing::StartsWith("0")));
  EXPECT_THAT(DecodeWindow(**MakeOfText("waveforms", window), {{0, 1}}).status(),
              IsFieldError("samples", "0 numbers", testing::StartsWith("10")));
}

TEST(DecodingTest, ANumberThatIsNoneIsNoAnswer) {
  const auto decoding = MakeOfText("{name: lfp_bands, downsample_hz: 1e6}", WindowOf(1, 1.0));
  ASSERT_TRUE(decoding.ok()) << decoding.status();
  std::vector<double> state((*decoding)->state_size()), values((*decoding)->num_values());
  (*decoding)->Begin(absl::MakeSpan(state));
  for (int i = 0; i < 10; ++i) {
    (*decoding)->AddSample({std::numeric_limits<double>::infinity()}, absl::MakeSpan(state));
  }
  EXPECT_EQ((*decoding)->Finish(absl::MakeSpan(state), absl::MakeSpan(values)).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(DecodingTest, StatesFromOutsideAreLookedAt) {
  StateLayout layout;
  EXPECT_EQ(layout.AddWhole(2, 0.0, 5.0), 0u);
  EXPECT_EQ(layout.AddAny(1), 2u);
  EXPECT_EQ(layout.size(), 3u);
  EXPECT_TRUE(layout.Check({0.0, 5.0, std::numeric_limits<double>::quiet_NaN()}).ok());
  EXPECT_THAT(layout.Check({0.0, 0.5, 0.0}),
              IsFieldError("[1]", "0.5", "a whole number from 0 to 5"));
  EXPECT_THAT(layout.Check({6.0, 0.0, 0.0}), IsFieldError("[0]", "6", testing::_));
  EXPECT_THAT(layout.Check({0.0, std::numeric_limits<double>::quiet_NaN(), 0.0}),
              IsFieldError("[1]", "nan", testing::_));
  EXPECT_THAT(layout.Check({0.0, 0.0}), IsFieldError("", "2 numbers", "3"));
}

}  // namespace
}  // namespace livnd::io
