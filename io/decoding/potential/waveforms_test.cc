#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "base/field_error.h"
#include "base/field_error_matchers.h"
#include "gtest/gtest.h"
#include "io/decoding/decoding.h"
#include "io/decoding/testing/decode.h"

namespace livnd::io {
namespace {

// Samples of 0.1 ms; a triangle of 10 mV that is 1 ms wide at its foot, over -60 mV.
constexpr double kRestMv = -60.0;

std::vector<double> Rest(const DecodingWindow& window) {
  return std::vector<double>(static_cast<size_t>(window.num_samples() * window.num_units), kRestMv);
}

void AddTriangle(const DecodingWindow& window, int64_t unit, int64_t peak_sample, double height_mv,
                 std::vector<double>& samples) {
  for (int64_t k = -5; k <= 5; ++k) {
    samples[static_cast<size_t>((peak_sample + k) * window.num_units + unit)] +=
        height_mv * (1.0 - std::fabs(static_cast<double>(k)) / 5.0);
  }
}

absl::StatusOr<Decoded> DecodeVoltages(const std::string& spec, const DecodingWindow& window,
                                       const std::vector<UnitSpike>& spikes,
                                       const std::vector<double>& samples) {
  auto decoding = MakeOfText(spec, window);
  if (!decoding.ok()) return decoding.status();
  auto values = DecodeWindow(**decoding, spikes, samples);
  if (!values.ok()) return values.status();
  return ByName(**decoding, *values);
}

TEST(WaveformsTest, ATriangleHasItsOwnShape) {
  const DecodingWindow window = WindowOf(2, 60.0, {{"A", 0, 1}, {"B", 1, 1}});
  std::vector<double> samples = Rest(window);
  AddTriangle(window, 1, 200, 10.0, samples);
  AddTriangle(window, 1, 400, 30.0, samples);
  // The spikes are told before the highest samples.
  const auto decoded =
      DecodeVoltages("{name: waveforms, max_cutouts: 3}", window, {{1, 797}, {1, 1590}}, samples);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->at("num_spikes"), (std::vector<double>{0, 2}));
  EXPECT_EQ(decoded->at("baseline_mv"), (std::vector<double>{-1, kRestMv}));
  EXPECT_EQ(decoded->at("peak_mv"), (std::vector<double>{-1, -40}));
  EXPECT_EQ(decoded->at("amplitude_mv"), (std::vector<double>{-1, 20}));
  EXPECT_NEAR(decoded->at("half_width_ms")[1], 0.5, 1e-12);  // half of the foot
  EXPECT_EQ(decoded->at("ahp_mv")[1], 0.0);
  EXPECT_EQ(decoded->at("cutout_unit"), (std::vector<double>{1, 1, -1}));
  EXPECT_NEAR(decoded->at("cutout_ms")[0], 20.0, 1e-12);
  EXPECT_NEAR(decoded->at("cutout_ms")[1], 40.0, 1e-12);
  EXPECT_EQ(decoded->at("cutout_mv")[40], -50.0);  // 4 ms before the peak
  EXPECT_EQ(decoded->at("cutout_mv")[140 + 40], -30.0);
}

TEST(WaveformsTest, ASecondSpikeDoesNotWidenTheFirst) {
  const DecodingWindow window = WindowOf(1, 60.0);
  std::vector<double> samples = Rest(window);
  AddTriangle(window, 0, 200, 30.0, samples);
  AddTriangle(window, 0, 250, 29.0, samples);
  const auto peak = DecodeVoltages("waveforms", window, {{0, 800}}, samples);
  const auto livns =
      DecodeVoltages("{name: waveforms, half_width: outermost}", window, {{0, 800}}, samples);
  ASSERT_TRUE(peak.ok() && livns.ok());
  EXPECT_NEAR(peak->at("half_width_ms")[0], 0.5, 1e-12);
  EXPECT_NEAR(livns->at("half_width_ms")[0], 5.4, 1e-12);
}

TEST(WaveformsTest, CutoutsLieInTheWindow) {
  const DecodingWindow window = WindowOf(1, 20.0);
  std::vector<double> samples = Rest(window);
  AddTriangle(window, 0, 50, 10.0, samples);
  AddTriangle(window, 0, 150, 10.0, samples);
  // The one begins 4 ms before its peak at 5 ms, the other ends with the window 5 ms after 15 ms.
  const std::string fits = "{name: waveforms, pre_ms: 4, post_ms: 5}";
  auto decoded = DecodeVoltages(fits, window, {{0, 200}, {0, 600}}, samples);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->at("num_spikes")[0], 2.0);
  for (const char* longer : {"{name: waveforms, pre_ms: 5.1, post_ms: 5}",
                             "{name: waveforms, pre_ms: 4, post_ms: 5.1}"}) {
    decoded = DecodeVoltages(longer, window, {{0, 200}, {0, 600}}, samples);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(decoded->at("num_spikes")[0], 1.0) << longer;
  }
  decoded = DecodeVoltages("{name: waveforms, pre_ms: 4, post_ms: 5, max_spikes: 1}", window,
                           {{0, 200}, {0, 600}}, samples);
  EXPECT_EQ(decoded->at("num_spikes")[0], 1.0);
}

// As of a state that somebody spoilt: samples themselves are numbers.
TEST(WaveformsTest, TracesThatAreNoNumbersAreAnError) {
  const DecodingWindow window = WindowOf(1, 20.0);
  for (const char* spec :
       {"{name: waveforms, pre_ms: 0}", "{name: waveforms, half_width: outermost}"}) {
    const auto decoding = MakeOfText(spec, window);
    ASSERT_TRUE(decoding.ok()) << decoding.status();
    std::vector<double> state((*decoding)->state_size()), values((*decoding)->num_values());
    (*decoding)->Begin(absl::MakeSpan(state));
    (*decoding)->AddSpike({0, 400}, absl::MakeSpan(state));
    const auto length = static_cast<size_t>(window.num_samples());
    std::fill(state.end() - static_cast<std::ptrdiff_t>(length), state.end(), NAN);
    ASSERT_TRUE((*decoding)->CheckState(state).ok());
    EXPECT_EQ((*decoding)->Finish(absl::MakeSpan(state), absl::MakeSpan(values)).code(),
              absl::StatusCode::kFailedPrecondition);
  }
}

TEST(WaveformsTest, WhatDoesNotFitIsRefused) {
  EXPECT_THAT(MakeOfText("{name: waveforms, post_ms: 0.01}", WindowOf(1, 20.0)).status(),
              IsFieldError("post_ms", "0.01", testing::HasSubstr("of 0.1 ms")));
  // Ten seconds of 1,000 cells, of which two fit.
  const auto too_long = MakeOfText("waveforms", WindowOf(1000, 10'000.0));
  EXPECT_THAT(too_long.status(),
              IsFieldError("window.num_ticks", "400000",
                           testing::HasSubstr(" at most with 1000 units, samples every ")));
  EXPECT_THAT(MakeOfText("{name: waveforms, max_spikes: 20000}", WindowOf(1000, 20.0)).status(),
              IsFieldError("max_spikes", "20000", "less with 1000 units"));
  EXPECT_THAT(
      MakeOfText("{name: waveforms, post_ms: 9e5}", WindowOf(1, 20.0)).status(),
      IsFieldError("post_ms", "900000", testing::HasSubstr(" ms at most with max_cutouts = ")));
  EXPECT_THAT(MakeOfText("{name: waveforms, pre_ms: 500, max_cutouts: 1000000}", WindowOf(1, 20.0))
                  .status(),
              IsFieldError("pre_ms", "500", testing::StartsWith("pre_ms and post_ms of ")));
}

// What a refusal says that it takes is taken, and no more than that.
TEST(WaveformsTest, WhatARefusalTakesIsTaken) {
  const auto most_of = [](const absl::Status& status) {
    const auto error = FieldErrorOf(status);
    return error.has_value() ? std::stoll(error->accepted) : 0;
  };
  DecodingWindow window = WindowOf(1000, 10'000.0);
  window.num_ticks = most_of(MakeOfText("waveforms", window).status());
  ASSERT_GT(window.num_ticks, 0);
  EXPECT_TRUE(MakeOfText("waveforms", window).ok());
  window.num_ticks += 1;
  EXPECT_FALSE(MakeOfText("waveforms", window).ok());
}

}  // namespace
}  // namespace livnd::io
