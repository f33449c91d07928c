#include <cstdint>
#include <string>
#include <vector>

#include "base/field_error_matchers.h"
#include "gtest/gtest.h"
#include "io/decoding/response/recruitment_curve.h"
#include "io/decoding/testing/decode.h"

namespace livnd::io {
namespace {

TEST(ResponseTest, DE27ThresholdBetweenTwoAmplitudes) {
  const RecruitmentThreshold found =
      FindThreshold({300, 400, 500, 600}, {0.1, 0.45, 0.6, 0.9}, 0.5);
  EXPECT_TRUE(found.is_reached && found.has_below);
  EXPECT_EQ(found.above, 500.0);
  EXPECT_EQ(found.below, 400.0);
  EXPECT_FALSE(found.is_blocked);
}

TEST(ResponseTest, DE28ThresholdOutsideTheAmplitudes) {
  EXPECT_FALSE(FindThreshold({300, 400}, {0.1, 0.2}, 0.5).is_reached);
  const RecruitmentThreshold lowest = FindThreshold({300, 400}, {0.8, 0.9}, 0.5);
  EXPECT_TRUE(lowest.is_reached);
  EXPECT_FALSE(lowest.has_below);
}

TEST(ResponseTest, StrongStimuliMayBlock) {
  const RecruitmentThreshold found = FindThreshold({1, 2, 3, 4}, {0.0, 0.5, 0.4, 1.0}, 0.5);
  EXPECT_TRUE(found.is_blocked);
  EXPECT_EQ(found.block, 3.0);
}

TEST(ResponseTest, CurveIsTheMedianOverStimuliOfOneAmplitude) {
  // Two units; stimuli at 100, 200, 300 of amplitude 5, at 400 of amplitude 2.
  const std::string spec =
      "{name: recruitment, answer: any, onsets_ms: [100, 200, 300, 400], amplitudes: [5, 5, 5, 2], "
      "pre_ms: 50, post_ms: 20}";
  const auto decoded =
      Decode(spec, WindowOf(2, 500.0), {0, 1, 0, 0, 1, 1}, {105, 110, 119.975, 220, 219, 300});
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->at("amplitude"), (std::vector<double>{2, 5}));
  // Answers at 100: both; at 200: unit 1 (220 is too late); at 300: unit 1; at 400: none.
  EXPECT_EQ(decoded->at("curve"), (std::vector<double>{0.0, 0.5}));
  EXPECT_EQ(decoded->at("threshold")[0], 5.0);
  EXPECT_EQ(decoded->at("below")[0], 2.0);
  EXPECT_EQ(decoded->at("block")[0], -1.0);
  EXPECT_EQ(decoded->at("is_reached")[0], 1.0);
  EXPECT_EQ(decoded->at("has_below")[0], 1.0);
}

TEST(ResponseTest, StimuliMayBeTooStrongForAMembrane) {
  // One cell, stimuli of 1, 2, 3, 4 at 100, 200, 300, 400 ms, samples of 0.1 ms.
  DecodingWindow window = WindowOf(1, 500.0);
  std::vector<double> voltages_mv(5000, -70.0);
  voltages_mv[1999] = 90.0;  // just before the second stimulus
  voltages_mv[2000] = 20.0;  // at its onset
  voltages_mv[3199] = 59.0;  // at the end of the third
  voltages_mv[4100] = voltages_mv[99] = 61.0;
  const auto decoding = MakeOfText(
      "{name: extracellular_recruitment, onsets_ms: [100, 200, 300, 400], amplitudes: [1, 2, 3, "
      "4]}",
      window);
  ASSERT_TRUE(decoding.ok()) << decoding.status();
  const auto values = DecodeWindow(**decoding, {{0, 8010}, {0, 12'010}, {0, 16'010}}, voltages_mv);
  ASSERT_TRUE(values.ok()) << values.status();
  const Decoded decoded = ByName(**decoding, *values);
  EXPECT_EQ(decoded.at("curve"), (std::vector<double>{0, 1, 1, 1}));
  EXPECT_EQ(decoded.at("peak_mv"), (std::vector<double>{-70, 20, 59, 61}));
  EXPECT_EQ(decoded.at("threshold")[0], 2.0);
  EXPECT_EQ(decoded.at("block")[0], -1.0);
  EXPECT_EQ(decoded.at("ceiling")[0], 4.0);
  EXPECT_EQ(decoded.at("band")[0], 2.0);
}

TEST(ResponseTest, ResponsesEndWithThreeQuietBins) {
  std::vector<int32_t> units;
  std::vector<double> times;
  // Bins of 10 ms after 1000 ms with 5 spikes: 1, 2, 3, 6; then quiet.
  for (const int bin : {1, 2, 3, 6}) {
    for (int i = 0; i < 5; ++i) {
      units.push_back(0);
      times.push_back(1000.0 + 10.0 * bin + i);
    }
  }
  const auto decoded = Decode("stimulus_response", WindowOf(1, 6000.0), units, times);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->at("latency_ms")[0], 15.0);
  EXPECT_EQ(decoded->at("duration_ms")[0], 60.0);
  EXPECT_EQ(decoded->at("gain")[0], -1.0);  // nothing before
  EXPECT_EQ(decoded->at("has_answered")[0], 1.0);
  const auto shorter = Decode("{name: stimulus_response, tail_ms: 60, undefined: -7}",
                              WindowOf(1, 6000.0), units, times);
  EXPECT_EQ(shorter->at("duration_ms")[0], -7.0);
}

// livn's histograms are closed at their ends: there it is in both.
TEST(ResponseTest, ASpikeAtTheOnsetIsAfterIt) {
  const auto decoded = Decode("{name: stimulus_response, bin_ms: 1000, threshold_k: 0}",
                              WindowOf(1, 6000.0), {0, 0, 0}, {1000, 1000, 1000});
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->at("evoked_rate_hz")[0], 6.0);
  EXPECT_EQ(decoded->at("latency_ms")[0], 500.0);  // 3 are more than a median of 0
}

TEST(ResponseTest, TimesThatDoNotFitAreRefused) {
  EXPECT_THAT(MakeOfText("stimulus_response", WindowOf(1, 1400.0)).status(),
              IsFieldError("onset_ms", "1000",
                           "a window of at least pre_ms + post_ms = 1500: this one has 1400"));
  EXPECT_THAT(MakeOfText("{name: stimulus_response, onset_ms: 1200}", WindowOf(1, 1600.0)).status(),
              IsFieldError("onset_ms", "1200", testing::StartsWith("1000 .. 1100")));
  EXPECT_THAT(MakeOfText("{name: stimulus_response, onset_ms: 999}", WindowOf(1, 5000.0)).status(),
              IsFieldError("onset_ms", "999", testing::_));
  EXPECT_THAT(MakeOfText("{name: peristimulus_histogram, onsets_ms: [60, 40]}", WindowOf(1, 500.0))
                  .status(),
              IsFieldError("onsets_ms[1]", "40", testing::StartsWith("50 .. 350")));
  EXPECT_THAT(
      MakeOfText("{name: recruitment, onsets_ms: [1000], amplitudes: [1]}", WindowOf(1, 1499.0))
          .status(),
      IsFieldError("onsets_ms[0]", "1000", testing::_));
  EXPECT_THAT(MakeOfText("{name: recruitment, onsets_ms: [1000]}", WindowOf(1, 5000.0)).status(),
              IsFieldError("amplitudes", "0 numbers", "1, one for each of onsets_ms"));
}

TEST(ResponseTest, HistogramsAreOfGroups) {
  const auto decoded = Decode(
      "{name: peristimulus_histogram, onsets_ms: [100], pre_ms: 0, post_ms: 4, bin_ms: 2}",
      WindowOf(3, 200.0, {{"A", 0, 1}, {"B", 1, 1}}), {0, 1, 1, 2}, {100, 102, 103.975, 101});
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->at("counts"), (std::vector<double>{1, 0, 0, 2}));
}

}  // namespace
}  // namespace livnd::io
