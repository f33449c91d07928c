#include "io/encoding/encoding.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "base/field_error_matchers.h"
#include "gtest/gtest.h"
#include "io/encoding/population_encoding.h"
#include "io/encoding/testing/encode.h"

namespace livnd::io {
namespace {

// The pulses of one step after another.
std::vector<std::vector<Onset>> Encode(const std::string& spec, const EncodingWindow& window,
                                       const std::vector<std::vector<float>>& steps) {
  const auto encoding = MakeEncodingOfText(spec, window);
  EXPECT_TRUE(encoding.ok()) << encoding.status();
  std::vector<double> state((*encoding)->state_size());
  (*encoding)->Begin(absl::MakeSpan(state));
  std::vector<std::vector<Onset>> onsets;
  sim::Waveform waveform;
  int64_t tick = 7;
  for (const std::vector<float>& values : steps) {
    const absl::Status status = (*encoding)->CheckValues(values);
    EXPECT_TRUE(status.ok()) << status;
    (*encoding)->Encode(values, tick, absl::MakeSpan(state), &waveform);
    onsets.push_back(OnsetsOf(**encoding, waveform, tick));
    tick += window.num_ticks;
  }
  return onsets;
}

using Onsets = std::vector<Onset>;

TEST(EncodingTest, AmplitudesArePulsesAtTheStart) {
  const auto steps =
      Encode("amplitude", StepOf(3, 50.0), {{0.5f, 0.0f, -1.0f}, {0.0f, 0.0f, 0.0f}});
  EXPECT_EQ(steps[0], (Onsets{{0, 0, -5.0}, {2, 0, 10.0}}));
  EXPECT_TRUE(steps[1].empty());
}

TEST(EncodingTest, RatesGoOnFromStepToStep) {
  // 1 is 30 Hz: a pulse every 33.3 ms, in steps of 50 ms; 0.5 one in 66.7 ms.
  const std::vector<std::vector<float>> values(6, {1.0f, 0.5f, 0.0f});
  const auto steps = Encode("{name: rate, max_hz: 30, amplitude: 0.1}", StepOf(3, 50.0), values);
  std::vector<int64_t> fast, slow;
  for (size_t s = 0; s < steps.size(); ++s) {
    for (const Onset& onset : steps[s]) {
      EXPECT_EQ(onset.current_ua, -1.0);
      ASSERT_NE(onset.electrode, 2);
      (onset.electrode == 0 ? fast : slow).push_back(static_cast<int64_t>(s) * 2000 + onset.tick);
    }
  }
  // 300 ms: the 9th pulse comes at its end, and the next step's first slot is not here.
  ASSERT_EQ(fast.size(), 8u);
  ASSERT_EQ(slow.size(), 4u);
  for (size_t i = 1; i < fast.size(); ++i) EXPECT_NEAR(fast[i] - fast[i - 1], 1333, 8);
  for (size_t i = 1; i < slow.size(); ++i) EXPECT_NEAR(slow[i] - slow[i - 1], 2667, 8);
}

TEST(EncodingTest, ARateMeansAsManyPulsesWhateverTheStep) {
  for (const double step_ms : {1.0, 2.5, 10.0, 50.0}) {
    const auto num = static_cast<size_t>(10'000.0 / step_ms);
    const auto steps = Encode("{name: rate, max_hz: 100}", StepOf(1, step_ms),
                              std::vector<std::vector<float>>(num, {0.37f}));
    size_t pulses = 0;
    for (const Onsets& step : steps) pulses += step.size();
    EXPECT_NEAR(static_cast<double>(pulses), 370.0, 1.0) << step_ms;
  }
}

TEST(EncodingTest, LatenciesAreEarlyForLargeValues) {
  const auto step = Encode("{name: latency, min_ms: 5, max_ms: 45}", StepOf(4, 50.0),
                           {{1.0f, 0.5f, 0.001f, 0.0f}})[0];
  ASSERT_EQ(step.size(), 3u);
  EXPECT_EQ(step[0], (Onset{0, 200, -10.0}));
  EXPECT_EQ(step[1], (Onset{1, 1000, -10.0}));
  EXPECT_EQ(step[2], (Onset{2, 1800, -10.0}));
  // As late as fits: 50 ms less two phases of 0.2 ms.
  const auto late = Encode("{name: latency}", StepOf(1, 50.0), {{1e-6f}})[0];
  EXPECT_EQ(late, (Onsets{{0, 1984, -10.0}}));
}

TEST(EncodingTest, FieldsAnswerByTheirDistance) {
  PopulationEncodingConfig config;
  config.num_fields = 3;
  const auto encoding = MakeEncoding<PopulationEncoding>(config, StepOf(7, 50.0));
  ASSERT_TRUE(encoding.ok()) << encoding.status();
  EXPECT_EQ((*encoding)->inputs().size(), 2u);  // an electrode is left over
  EXPECT_EQ((*encoding)->Answer(-1.0, 0), 1.0);
  EXPECT_DOUBLE_EQ((*encoding)->Answer(-1.0, 1), std::exp(-0.5));
  EXPECT_DOUBLE_EQ((*encoding)->Answer(0.5, 2), std::exp(-0.125));
  const auto step = Encode("{name: population, num_fields: 3, silent_below: 0.2}", StepOf(7, 50.0),
                           {{-1.0f, 0.0f}})[0];
  ASSERT_EQ(step.size(), 5u);  // exp(-2) is below 0.2
  EXPECT_EQ(step[0], (Onset{0, 0, -10.0}));
  EXPECT_EQ(step[2], (Onset{3, 0, -10.0 * std::exp(-0.5)}));
  EXPECT_EQ(step[3], (Onset{4, 0, -10.0}));
}

TEST(EncodingTest, FieldsMayAnswerByLatencyAndRate) {
  const auto latency =
      Encode("{name: population, num_fields: 2, code: latency}", StepOf(2, 50.0), {{-1.0f}})[0];
  ASSERT_EQ(latency.size(), 2u);
  EXPECT_EQ(latency[0].tick, 0);
  EXPECT_GT(latency[1].tick, 500);
  const auto rate = Encode("{name: population, num_fields: 2, code: rate, max_hz: 100}",
                           StepOf(2, 1000.0), {{-1.0f}})[0];
  size_t first = 0, second = 0;
  for (const Onset& onset : rate) ++(onset.electrode == 0 ? first : second);
  EXPECT_NEAR(static_cast<double>(first), 99.0, 1.0);
  EXPECT_NEAR(static_cast<double>(second), 100.0 * std::exp(-0.5), 1.0);
}

TEST(EncodingTest, APulseIsWhereAndWhenItIsAskedFor) {
  const auto steps = Encode("pulse", StepOf(4, 50.0),
                            {{2.4f, 12.0f, 0.5f}, {2.5f, 12.05f, -1.0f}, {3.0f, 49.6f, 0.1f}});
  EXPECT_EQ(steps[0], (Onsets{{2, 480, -5.0}}));
  EXPECT_EQ(steps[1], (Onsets{{2, 488, 10.0}}));  // 2.5 is 2, as numpy rounds; the next slot
  EXPECT_EQ(steps[2][0].tick, 1984);
}

TEST(EncodingTest, AFeatureIsATime) {
  const auto steps =
      Encode("{name: feature, channels: [0, 3]}", StepOf(4, 50.0), {{-2.0f}, {0.0f}, {2.0f}});
  EXPECT_EQ(steps[0], (Onsets{{0, 0, -10.0}, {3, 0, -10.0}}));
  EXPECT_EQ(steps[1][0].tick, 992);
  EXPECT_EQ(steps[2][0].tick, 1984);
}

// Worked case RL1.
TEST(EncodingTest, RL1ValuesScaledAsForReplay) {
  const auto encoding = MakeEncodingOfText("livn_pulse", StepOf(16, 1000.0));
  ASSERT_TRUE(encoding.ok()) << encoding.status();
  const auto scaled = ScaleToUnit(**encoding, {3.0f, 450.0f, 500.0f});
  ASSERT_TRUE(scaled.ok()) << scaled.status();
  EXPECT_DOUBLE_EQ((*scaled)[0], -0.6);
  EXPECT_EQ((*scaled)[1], 0.0);
  EXPECT_EQ((*scaled)[2], 0.0);
}

// Worked case RL3.
TEST(EncodingTest, RL3OnsetsOfFeatures) {
  const auto steps = Encode("{name: livn_feature, ua_per_unit: 1}", StepOf(4, 1000.0),
                            {{-2.0f}, {0.0f}, {1.5f}, {2.0f}, {1.99f}});
  for (const auto& [step, onset_ms] : {std::pair{0, 0}, {1, 500}, {2, 875}, {4, 997}}) {
    EXPECT_EQ(
        steps[static_cast<size_t>(step)],
        (Onsets{{1, onset_ms * 40, 750.0}, {2, onset_ms * 40, 750.0}, {3, onset_ms * 40, 750.0}}))
        << step;
  }
  EXPECT_TRUE(steps[3].empty());  // at the step's end
}

TEST(EncodingTest, LivnsPulseIsARectangleOfTwentyMilliseconds) {
  const auto encoding = MakeEncodingOfText("{name: livn_pulse, ua_per_unit: 1}", StepOf(4, 1000.0));
  ASSERT_TRUE(encoding.ok()) << encoding.status();
  sim::Waveform waveform;
  (*encoding)->Encode({2.5f, 123.7f, 400.0f}, 80, {}, &waveform);
  EXPECT_EQ(waveform.first_tick, 80 + 123 * 40);
  EXPECT_EQ(waveform.sample_dt_ms, 1.0);
  ASSERT_EQ(waveform.num_samples(), 20);
  for (size_t i = 0; i < waveform.samples.size(); ++i) {
    EXPECT_EQ(waveform.samples[i], i % 4 == 2 ? 400.0 : 0.0);
  }
}

// livn writes the same number twice, or nothing.
TEST(EncodingTest, LivnsFeatureTakesChannelsTwiceOrNone) {
  const auto twice = Encode("{name: livn_feature, ua_per_unit: 1, channels: [2, 0, 2]}",
                            StepOf(4, 1000.0), {{0.0f}});
  EXPECT_EQ(twice[0], (Onsets{{0, 20'000, 750.0}, {2, 20'000, 750.0}}));
  const auto none = Encode("{name: livn_feature, channels: []}", StepOf(4, 1000.0), {{0.0f}});
  EXPECT_TRUE(none[0].empty());
}

// The bound's float is less than the bound, by some milliseconds of a step that is long enough.
TEST(EncodingTest, LivnsLowestFeatureIsAtTheStepsStart) {
  const auto steps =
      Encode("{name: livn_feature, low: 0.0145211}", StepOf(4, 2.5e10), {{0.0145211f}});
  ASSERT_FALSE(steps[0].empty());
  EXPECT_EQ(steps[0][0].tick, 0);
}

TEST(EncodingTest, ErrorsNameTheField) {
  const auto error_of = [](const char* spec, const EncodingWindow& window) {
    return MakeEncodingOfText(spec, window).status();
  };
  const EncodingWindow step = StepOf(4, 50.0);
  EXPECT_THAT(error_of("latancy", step),
              IsFieldError("name", "latancy", testing::StartsWith("latency (the nearest), or ")));
  EXPECT_THAT(error_of("{name: rate, phase_us: 30}", step),
              IsFieldError("phase_us", "30", testing::StartsWith("a multiple of the tick")));
  EXPECT_THAT(error_of("{name: rate, max_hz: 2000}", step),
              IsFieldError("max_hz", "2000", testing::HasSubstr("three phases a pulse")));
  EXPECT_THAT(error_of("{name: latency, max_ms: 49.7}", step),
              IsFieldError("max_ms", "49.7", testing::StartsWith("49.6 at most")));
  EXPECT_THAT(error_of("{name: latency, min_ms: 20, max_ms: 10}", step),
              IsFieldError("max_ms", "10", "-1, or min_ms or more"));
  EXPECT_THAT(error_of("{name: population, num_fields: 5}", step),
              IsFieldError("num_fields", "5", "2 .. 4, the electrodes"));
  EXPECT_THAT(error_of("{name: population, low: 1, high: 1}", step),
              IsFieldError("high", "1", "more than low"));
  EXPECT_THAT(error_of("{name: feature, channels: [4]}", step),
              IsFieldError("channels[0]", "4", "an electrode, 0 .. 3"));
  EXPECT_THAT(error_of("{name: feature, channels: []}", step),
              IsFieldError("channels", "0 numbers", "one at least"));
  EXPECT_THAT(error_of("{name: feature, channels: [2, 0, 2]}", step),
              IsFieldError("channels[2]", "2 for the second time", "each channel once"));
  EXPECT_THAT(error_of("livn_pulse", step), IsFieldError("window.num_ticks", "2000", testing::_));
  EXPECT_THAT(error_of("{name: livn_feature, width_ms: 1e5}", StepOf(64, 1000.0)),
              IsFieldError("width_ms", "100000", testing::StartsWith("65536 at most")));
  EXPECT_THAT(error_of("pulse", StepOf(4, 0.3)), IsFieldError("phase_us", "200", testing::_));
  EXPECT_THAT(error_of("pulse", StepOf(65536, 1e5)),
              IsFieldError("window.num_ticks", testing::_, testing::_));
  EXPECT_THAT(error_of("pulse", StepOf(0, 50.0)),
              IsFieldError("window.num_electrodes", "0", "1 .. 65536"));
  EncodingWindow odd = StepOf(4, 1000.0);
  odd.tick_ms = 0.03;
  EXPECT_THAT(error_of("livn_feature", odd),
              IsFieldError("window.tick_ms", "0.03", "a part of 1 ms"));
  odd.tick_ms = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(error_of("pulse", odd), IsFieldError("window.tick_ms", "nan", testing::_));
}

TEST(EncodingTest, ValuesOutOfTheirBoundsAreRefused) {
  const auto encoding = MakeEncodingOfText("pulse", StepOf(4, 50.0));
  ASSERT_TRUE(encoding.ok()) << encoding.status();
  EXPECT_TRUE((*encoding)->CheckValues({3.0f, 49.6f, -1.0f}).ok());
  EXPECT_THAT((*encoding)->CheckValues({3.1f, 0.0f, 0.0f}),
              IsFieldError("channel", testing::_, "0 .. 3"));
  EXPECT_THAT((*encoding)->CheckValues({0.0f, 50.0f, 0.0f}),
              IsFieldError("time_ms", "50", testing::_));
  EXPECT_THAT((*encoding)->CheckValues({0.0f, 0.0f, NAN}),
              IsFieldError("amplitude", "nan", "-1 .. 1"));
  EXPECT_THAT((*encoding)->CheckValues({0.0f}), IsFieldError("", "1 numbers", "3"));
}

}  // namespace
}  // namespace livnd::io
