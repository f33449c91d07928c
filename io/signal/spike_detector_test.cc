#include "io/signal/spike_detector.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "base/field_error.h"
#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/signal/electrode_noise.h"
#include "io/testing/num_draws.h"

namespace livnd::io {
namespace {

using testing::_;
using testing::ElementsAre;

constexpr double kSampleMs = 0.04;  // 25 kHz

SpikeDetectorConfig Small() {
  SpikeDetectorConfig config;
  config.dead_time_ms = 10 * kSampleMs;
  config.noise_window_ms = 8 * kSampleMs;
  config.snippet_before_ms = 2 * kSampleMs;
  config.snippet_after_ms = 3 * kSampleMs;
  return config;
}

// The samples of one channel.
std::vector<DetectedSpike> Detect(const SpikeDetectorConfig& config,
                                  const std::vector<double>& samples) {
  auto detector = SpikeDetector::Create(config, 1, kSampleMs);
  EXPECT_TRUE(detector.ok()) << detector.status();
  std::vector<DetectedSpike> spikes;
  for (const double x : samples) detector->Push({x}, &spikes);
  detector->Finish(&spikes);
  return spikes;
}

std::vector<int64_t> OnsetsOf(const std::vector<DetectedSpike>& spikes) {
  std::vector<int64_t> onsets;
  for (const DetectedSpike& spike : spikes) onsets.push_back(spike.sample);
  return onsets;
}

TEST(NoiseEstimatorTest, IsTheMedianOfDeviations) {
  NoiseEstimator noise(5);
  for (const double x : {3.0, 1.0, 100.0, 2.0}) EXPECT_FALSE(noise.Push(x));
  EXPECT_FALSE(noise.ready());
  EXPECT_FALSE(noise.Push(std::nan("")));
  EXPECT_TRUE(noise.Push(2.5));
  EXPECT_EQ(noise.middle(), 2.5);  // of 1, 2, 2.5, 3, 100
  EXPECT_EQ(noise.sigma(), 0.5 / 0.6745);
  for (const double x : {7.0, 7.0, 7.0, 7.0}) EXPECT_FALSE(noise.Push(x));
  EXPECT_EQ(noise.middle(), 2.5);
  EXPECT_TRUE(noise.Push(7.0));
  EXPECT_EQ(noise.middle(), 7.0);
  EXPECT_EQ(noise.sigma(), 0.0);
}

TEST(NoiseEstimatorTest, SpikesHardlyChangeIt) {
  const ElectrodeNoise source = *ElectrodeNoise::Create(4.0, 5);
  NoiseEstimator quiet(25'000), busy(25'000);
  for (int64_t i = 0; i < 25'000; ++i) {
    const double x = source.At(0, i);
    quiet.Push(x);
    busy.Push(x - (i % 500 < 20 ? 80.0 : 0.0));  // 50 spikes a second
  }
  EXPECT_NEAR(quiet.sigma(), 4.0, 0.1);
  EXPECT_NEAR(busy.sigma(), 4.0, 0.3);
}

// Middle 0, deviation 1 / 0.6745: five of them are -7.41 uV.
const std::vector<double> kWindow = {-1, 1, -1, 1, -1, 1, 0, 0};

std::vector<double> After(std::vector<double> samples) {
  samples.insert(samples.begin(), kWindow.begin(), kWindow.end());
  return samples;
}

TEST(SpikeDetectorTest, BeginsWhereTheThresholdIsCrossed) {
  const auto spikes = Detect(Small(), After({0, -7, -8, -20, -9, 0, 0, 0}));
  ASSERT_EQ(spikes.size(), 1u);
  EXPECT_EQ(spikes[0].sample, 10);
  EXPECT_EQ(spikes[0].amplitude_uv, -20.0);
  EXPECT_THAT(spikes[0].snippet_uv, ElementsAre(0, -7, -8, -20, -9));
}

TEST(SpikeDetectorTest, FindsNothingBeforeItKnowsTheNoise) {
  std::vector<double> samples = kWindow;
  samples[5] = -500.0;
  EXPECT_TRUE(Detect(Small(), samples).empty());
}

TEST(SpikeDetectorTest, ADeadTimePassesBetweenOnsets) {
  std::vector<double> samples(40, 0.0);
  for (const size_t i : {2, 6, 11, 12, 25}) samples[i] = -30.0;
  SpikeDetectorConfig config = Small();
  config.noise_window_ms = 1000 * kSampleMs;  // one window only
  std::vector<double> window;
  for (int i = 0; i < 1000; ++i) window.push_back(i % 2 == 0 ? 1.0 : -1.0);
  samples.insert(samples.begin(), window.begin(), window.end());
  // 6 is within ten samples of 2, 12 is not a crossing but 11 + 1: still beyond.
  EXPECT_THAT(OnsetsOf(Detect(config, samples)), ElementsAre(1002, 1025));
  config.dead_time_ms = 4 * kSampleMs;
  EXPECT_THAT(OnsetsOf(Detect(config, samples)), ElementsAre(1002, 1006, 1011, 1025));
}

TEST(SpikeDetectorTest, Polarity) {
  SpikeDetectorConfig config = Small();
  config.dead_time_ms = 0.0;
  const auto samples = After({0, 9, 0, -10, 0, 0, 0, 0});
  EXPECT_THAT(OnsetsOf(Detect(config, samples)), ElementsAre(11));
  config.polarity = SpikeDetectorConfig::Polarity::kPositive;
  const auto positive = Detect(config, samples);
  ASSERT_THAT(OnsetsOf(positive), ElementsAre(9));
  EXPECT_EQ(positive[0].amplitude_uv, 9.0);
  config.polarity = SpikeDetectorConfig::Polarity::kBoth;
  EXPECT_THAT(OnsetsOf(Detect(config, samples)), ElementsAre(9, 11));
}

TEST(SpikeDetectorTest, TheThresholdHasAFloor) {
  SpikeDetectorConfig config = Small();
  config.min_threshold_uv = 15.0;
  EXPECT_TRUE(Detect(config, After({-14, 0, 0, 0})).empty());
  EXPECT_EQ(Detect(config, After({-16, 0, 0, 0})).size(), 1u);
  // A channel without noise has no threshold but this one.
  const std::vector<double> flat = {0, 0, 0, 0, 0, 0, 0, 0, -16, 0, 0, 0};
  EXPECT_EQ(Detect(config, flat).size(), 1u);
  config.min_threshold_uv = 0.0;
  EXPECT_TRUE(Detect(config, flat).empty());
}

TEST(SpikeDetectorTest, TheEndCutsSnippets) {
  const auto spikes = Detect(Small(), After({0, 0, -20, -30}));
  ASSERT_EQ(spikes.size(), 1u);
  EXPECT_THAT(spikes[0].snippet_uv, ElementsAre(0, 0, -20, -30));
  EXPECT_EQ(spikes[0].amplitude_uv, -30.0);
}

TEST(SpikeDetectorTest, ErrorsNameTheField) {
  const auto error = [](const auto& change, int channels = 1, double sample_dt_ms = kSampleMs) {
    SpikeDetectorConfig config;
    change(config);
    return SpikeDetector::Create(config, channels, sample_dt_ms).status();
  };
  const auto nothing = [](SpikeDetectorConfig&) {};
  EXPECT_TRUE(error(nothing).ok());
  EXPECT_THAT(error([](auto& c) { c.threshold = std::nan(""); }),
              IsFieldError("threshold", "nan", _));
  EXPECT_THAT(error([](auto& c) { c.min_threshold_uv = -1; }),
              IsFieldError("min_threshold_uv", "-1", _));
  EXPECT_THAT(error([](auto& c) { c.dead_time_ms = -1; }), IsFieldError("dead_time_ms", "-1", _));
  EXPECT_THAT(error([](auto& c) { c.snippet_after_ms = 1e9; }),
              IsFieldError("snippet_after_ms", "1e+09", _));
  EXPECT_THAT(error([](auto& c) { c.noise_window_ms = 0.5; }),
              IsFieldError("noise_window_ms", "0.5", _));
  EXPECT_THAT(error(nothing, 0), IsFieldError("num_channels", "0", _));
  EXPECT_THAT(error(nothing, 1, 0.0), IsFieldError("sample_dt_ms", "0", _));
}

// White noise crosses a threshold of k deviations at a known rate; and spikes that are put in are found.
TEST(SpikeDetectorTest, FindsWhatWasPutIntoNoise) {
  constexpr int kChannels = 8;
  constexpr int64_t kSamples = 250'000;  // 10 s
  const ElectrodeNoise noise = *ElectrodeNoise::Create(4.0, 9);
  auto detector = SpikeDetector::Create({}, kChannels, kSampleMs);
  ASSERT_TRUE(detector.ok()) << detector.status();
  std::vector<DetectedSpike> spikes;
  std::vector<double> row(kChannels);
  size_t most_bytes = 0;
  const size_t bytes_before = detector->num_bytes();
  for (int64_t i = 0; i < kSamples; ++i) {
    std::fill(row.begin(), row.end(), 0.0);
    noise.Add(i, absl::MakeSpan(row));
    // Every 97 ms a spike of 60 uV on the channel whose turn it is, 0.4 ms wide.
    if (i >= 30'000 && i % 2425 < 10) row[static_cast<size_t>(i / 2425 % kChannels)] -= 60.0;
    detector->Push(row, &spikes);
    most_bytes = std::max(most_bytes, detector->num_bytes());
  }
  detector->Finish(&spikes);
  EXPECT_LE(most_bytes, bytes_before + 8 * kChannels * sizeof(int64_t));
  int num_put = 0, num_found = 0, num_else = 0;
  for (int64_t at = 0; at < kSamples; at += 2425) num_put += at >= 30'000 ? 1 : 0;
  for (const DetectedSpike& spike : spikes) {
    const bool put = spike.sample >= 30'000 && spike.sample % 2425 < 10 &&
                     spike.sample / 2425 % kChannels == spike.channel;
    (put ? num_found : num_else) += 1;
    ASSERT_TRUE(spike.snippet_uv.size() == 75 || spike.sample + 50 > kSamples);
    if (put) {
      EXPECT_NEAR(spike.amplitude_uv, -66.0, 14.0);
    }
  }
  EXPECT_EQ(num_found, num_put);
  // P(x < -5 sigma) = 2.87e-7 over two million samples is 0.6 of them.
  EXPECT_LE(num_else, 6);
  for (int c = 0; c < kChannels; ++c) EXPECT_NEAR(detector->noise_uv(c), 4.0, 0.15);
}

// Any numbers: it finds spikes only where it may.
TEST(SpikeDetectorPropertyTest, AnySamplesGiveFiniteAnswers) {
  std::mt19937_64 random(4);
  const auto pick = [&](uint64_t n) { return random() % n; };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  int64_t num_spikes = 0;
  const int num_draws = NumDraws("LIVND_PLAN_DRAWS", 10'000);
  for (int i = 0; i < num_draws; ++i) {
    SpikeDetectorConfig config;
    config.threshold = static_cast<double>(pick(8));
    config.min_threshold_uv = static_cast<double>(pick(3));
    config.polarity = static_cast<SpikeDetectorConfig::Polarity>(pick(3));
    config.dead_time_ms = static_cast<double>(pick(20)) * kSampleMs;
    config.snippet_before_ms = static_cast<double>(pick(5)) * kSampleMs;
    config.snippet_after_ms = static_cast<double>(pick(9)) * kSampleMs;
    config.noise_window_ms = config.snippet_before_ms + static_cast<double>(pick(9)) * kSampleMs;
    const int channels = 1 + static_cast<int>(pick(3));
    auto detector = SpikeDetector::Create(config, channels, kSampleMs);
    ASSERT_TRUE(detector.ok()) << detector.status();
    std::vector<DetectedSpike> spikes;
    std::vector<double> row(static_cast<size_t>(channels));
    const auto num_samples = static_cast<int64_t>(pick(80));
    for (int64_t k = 0; k < num_samples; ++k) {
      for (double& x : row) {
        const double odd[] = {std::nan(""), kInfinity, -kInfinity, 1e300, 0.0};
        x = pick(12) == 0 ? odd[pick(std::size(odd))]
                          : static_cast<double>(pick(2000)) / 100.0 - 10.0;
      }
      detector->Push(row, &spikes);
    }
    detector->Finish(&spikes);
    std::vector<int64_t> last(static_cast<size_t>(channels), -1);
    const auto dead = std::max<int64_t>(1, std::llround(config.dead_time_ms / kSampleMs));
    for (const DetectedSpike& spike : spikes) {
      ++num_spikes;
      int64_t& before = last[static_cast<size_t>(spike.channel)];
      ASSERT_TRUE(before < 0 || spike.sample - before >= dead);
      before = spike.sample;
      ASSERT_GE(spike.sample, 1);
      ASSERT_LT(spike.sample, num_samples);
      ASSERT_LE(spike.snippet_uv.size(), detector->snippet_size());
      ASSERT_FALSE(std::isnan(spike.amplitude_uv));
    }
  }
  EXPECT_GT(num_spikes, 10'000);
}

}  // namespace
}  // namespace livnd::io
