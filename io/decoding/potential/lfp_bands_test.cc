#include "io/decoding/potential/lfp_bands.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "base/field_error_matchers.h"
#include "gtest/gtest.h"
#include "io/decoding/potential/butterworth.h"
#include "io/decoding/potential/spectrum.h"
#include "io/decoding/testing/decode.h"

namespace livnd::io {
namespace {

// A sine on each of two electrodes, 10 kHz, 1 s.
std::vector<double> Sines(double first_hz, double second_hz) {
  std::vector<double> potentials;
  for (int i = 0; i < 10'000; ++i) {
    for (const double hz : {first_hz, second_hz}) {
      potentials.push_back(10.0 * std::sin(2.0 * M_PI * hz * i * 1e-4));
    }
  }
  return potentials;
}

Decoded Bands(const std::string& spec, const std::vector<double>& potentials) {
  const auto decoding = MakeOfText(spec, WindowOf(2, 1000.0));
  EXPECT_TRUE(decoding.ok()) << decoding.status();
  const auto values = DecodeWindow(**decoding, {}, potentials);
  EXPECT_TRUE(values.ok()) << values.status();
  return ByName(**decoding, *values);
}

TEST(LfpBandsTest, DE29ASineOfSixHertzIsTheta) {
  const Decoded bands = Bands("{name: lfp_bands, lowpass_hz: 0}", Sines(6.0, 6.0));
  EXPECT_EQ(bands.at("sample_rate_hz")[0], 1000.0);
  EXPECT_EQ(bands.at("num_samples")[0], 1000.0);
  EXPECT_NEAR(bands.at("power")[1], 50.0, 1e-6);
  EXPECT_NEAR(bands.at("relative")[1], 1.0, 1e-6);
  EXPECT_NEAR(bands.at("broadband")[0], 50.0, 1e-6);
}

TEST(LfpBandsTest, DE30SamplesAreLeftOutInWholeNumbers) {
  const Decoded bands = Bands("{name: lfp_bands, downsample_hz: 3000}", Sines(6.0, 6.0));
  EXPECT_NEAR(bands.at("sample_rate_hz")[0], 10'000.0 / 3.0, 1e-9);
  EXPECT_EQ(bands.at("num_samples")[0], 3334.0);
}

// 990 Hz taken at 1 kHz looks like 10 Hz.
TEST(LfpBandsTest, WhatIsTooFastIsNotFoldedIntoTheBands) {
  EXPECT_LT(Bands("lfp_bands", Sines(990.0, 990.0)).at("power")[2], 1e-2);
  const Decoded livns = Bands("{name: lfp_bands, lowpass_hz: 0}", Sines(990.0, 990.0));
  EXPECT_NEAR(livns.at("power")[2], 50.0, 1.0);
  // What is slow passes.
  EXPECT_NEAR(Bands("lfp_bands", Sines(10.0, 10.0)).at("power")[2], 50.0, 1.0);
}

TEST(LfpBandsTest, ChannelsAreChosen) {
  const Decoded second =
      Bands("{name: lfp_bands, channels: [1], low_hz: [16], high_hz: [24]}", Sines(6.0, 20.0));
  EXPECT_NEAR(second.at("power")[0], 50.0, 1.0);
  const Decoded both = Bands("{name: lfp_bands, low_hz: [16], high_hz: [24]}", Sines(6.0, 20.0));
  EXPECT_NEAR(both.at("power")[0], 12.5, 0.3);  // of half the amplitude
  EXPECT_THAT(MakeOfText("{name: lfp_bands, channels: [2]}", WindowOf(2, 1000.0)).status(),
              IsFieldError("channels[0]", "2", "a unit, 0 .. 1"));
}

TEST(LfpBandsTest, WindowsTooShortForTheFilterAreRefused) {
  EXPECT_THAT(MakeOfText("lfp_bands", WindowOf(1, 1.5)).status(),
              IsFieldError("lowpass_hz", "400", "0, no filter, with 15 samples: it takes 16"));
  EXPECT_TRUE(MakeOfText("lfp_bands", WindowOf(1, 1.6)).ok());
}

TEST(LfpBandsTest, AFilterHalvesThePowerTwiceAtItsCutoff) {
  for (const int order : {1, 2, 4, 8}) {
    const LowPass filter = LowPass::Butterworth(order, 0.1);
    std::vector<double> slow, at_cutoff, fast;
    for (int i = 0; i < 4000; ++i) {
      slow.push_back(std::sin(M_PI * 0.001 * i));
      at_cutoff.push_back(std::sin(M_PI * 0.1 * i));
      fast.push_back(std::sin(M_PI * 0.8 * i));
    }
    const std::vector<double> before = slow;
    for (auto* samples : {&slow, &at_cutoff, &fast}) FilterBothWays(filter, samples);
    double largest = 0.0;
    for (size_t i = 1000; i < 3000; ++i) {
      EXPECT_NEAR(slow[i], before[i], 1e-3);  // and no shift in time
      largest = std::max(largest, at_cutoff[i]);
      EXPECT_LT(std::fabs(fast[i]), 0.02);
    }
    EXPECT_NEAR(largest, 0.5, 0.01) << order;
  }
}

TEST(LfpBandsTest, AConstantPassesAFilter) {
  std::vector<double> samples(100, 3.5);
  FilterBothWays(LowPass::Butterworth(4, 0.05), &samples);
  for (const double sample : samples) EXPECT_NEAR(sample, 3.5, 1e-9);
}

TEST(LfpBandsTest, FewSamplesHaveASpectrumToo) {
  for (size_t num = 1; num < 20; ++num) {
    std::vector<double> samples(num, 1.0);
    samples[0] = 2.0;
    const Spectrum spectrum = Welch(samples, 1000.0, num, num / 2);
    EXPECT_EQ(spectrum.density.size(), num / 2 + 1);
    EXPECT_TRUE(std::isfinite(spectrum.Total())) << num;
  }
}

TEST(LfpBandsTest, ASpectrumHoldsTheVariance) {
  // A sine of a whole number of periods in each segment, even and odd, and a prime one.
  for (const size_t segment : {64u, 63u, 61u}) {
    std::vector<double> samples;
    for (size_t i = 0; i < 20 * segment; ++i) {
      samples.push_back(5.0 + 2.0 * std::sin(2.0 * M_PI * 8.0 * static_cast<double>(i) /
                                             static_cast<double>(segment)));
    }
    const Spectrum spectrum = Welch(samples, 1000.0, segment, segment / 2);
    EXPECT_EQ(spectrum.density.size(), segment / 2 + 1);
    EXPECT_NEAR(spectrum.Total(), 2.0, 1e-9) << segment;
  }
}

}  // namespace
}  // namespace livnd::io
