#include "io/decoding/potential/lfp.h"

#include <cmath>
#include <cstddef>
#include <vector>

#include "base/field_error_matchers.h"
#include "gtest/gtest.h"
#include "io/decoding/testing/decode.h"

namespace livnd::io {
namespace {

constexpr int kNumSamples = 10'000;  // at 10 kHz: 1 s

// A sine on each of two electrodes.
std::vector<double> Sines(double first_hz, double second_hz) {
  std::vector<double> potentials;
  for (int i = 0; i < kNumSamples; ++i) {
    for (const double hz : {first_hz, second_hz}) {
      potentials.push_back(10.0 * std::sin(2.0 * M_PI * hz * i * 1e-4));
    }
  }
  return potentials;
}

Decoded Trace(const std::string& spec, const std::vector<double>& potentials) {
  const auto decoding = MakeOfText(spec, WindowOf(2, 1000.0));
  EXPECT_TRUE(decoding.ok()) << decoding.status();
  const auto values = DecodeWindow(**decoding, {}, potentials);
  EXPECT_TRUE(values.ok()) << values.status();
  return ByName(**decoding, *values);
}

TEST(LfpTest, WithoutAFilterSamplesAreTakenAsTheyAre) {
  const std::vector<double> potentials = Sines(6.0, 17.0);
  const Decoded told = Trace("{name: lfp, lowpass_hz: 0}", potentials);
  EXPECT_EQ(told.at("sample_rate_hz")[0], 1000.0);
  ASSERT_EQ(told.at("lfp").size(), 2000u);
  for (size_t unit = 0; unit < 2; ++unit) {
    for (size_t i = 0; i < 1000; ++i) {
      ASSERT_EQ(told.at("lfp")[unit * 1000 + i], potentials[20 * i + unit]);
    }
  }
}

// What is slow passes where it was, since the filter has no phase, and what is too fast does not.
TEST(LfpTest, TheFilterTakesAwayWhatIsTooFast) {
  std::vector<double> both = Sines(10.0, 900.0);
  const std::vector<double> slow = Sines(10.0, 10.0);
  for (size_t i = 0; i < both.size(); i += 2) both[i] += both[i + 1];
  const std::vector<double> lfp = Trace("lfp", both).at("lfp");
  ASSERT_EQ(lfp.size(), 2000u);
  for (size_t i = 100; i < 900; ++i) {
    EXPECT_NEAR(lfp[i], slow[20 * i], 0.02);
    EXPECT_NEAR(lfp[1000 + i], 0.0, 0.02);
  }
}

TEST(LfpTest, ChannelsAreChosenInTheirOrder) {
  const std::vector<double> potentials = Sines(6.0, 17.0);
  const std::vector<double> all = Trace("lfp", potentials).at("lfp");
  const std::vector<double> swapped = Trace("{name: lfp, channels: [1, 0]}", potentials).at("lfp");
  EXPECT_EQ(std::vector<double>(swapped.begin(), swapped.begin() + 1000),
            std::vector<double>(all.begin() + 1000, all.end()));
  EXPECT_EQ(Trace("{name: lfp, channels: [1]}", potentials).at("lfp"),
            std::vector<double>(all.begin() + 1000, all.end()));
  EXPECT_THAT(MakeOfText("{name: lfp, channels: [0, 2]}", WindowOf(2, 1000.0)).status(),
              IsFieldError("channels[1]", "2", "a unit, 0 .. 1"));
}

TEST(LfpTest, RatesThatDoNotDivideLeaveOutWholeNumbers) {
  const Decoded told = Trace("{name: lfp, downsample_hz: 3000}", Sines(6.0, 6.0));
  EXPECT_NEAR(told.at("sample_rate_hz")[0], 10'000.0 / 3.0, 1e-9);
  EXPECT_EQ(told.at("lfp").size(), 2u * 3334u);
}

}  // namespace
}  // namespace livnd::io
