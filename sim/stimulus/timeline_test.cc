#include "sim/stimulus/timeline.h"

#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace livnd::sim {
namespace {

constexpr double kDtMs = 0.025;
using Kind = SampleRule::Kind;

// Samples of one channel that begin at a tick.
Waveform From(int64_t first_tick, double sample_dt_ms, std::vector<double> samples) {
  Waveform w;
  w.sample_dt_ms = sample_dt_ms;
  w.first_tick = first_tick;
  w.num_channels = 1;
  w.samples = std::move(samples);
  return w;
}

// Likewise on livn's grid.
Waveform OnGrid(int64_t first_sample, double sample_dt_ms, std::vector<double> samples) {
  Waveform w = From(0, sample_dt_ms, std::move(samples));
  w.timing = SampleTiming::kLivn;
  w.first_sample = first_sample;
  return w;
}

void Install(StimulusTimeline& timeline, Waveform w, int64_t now = 0) {
  timeline.Install(std::make_shared<const Waveform>(std::move(w)), now);
}

// A channel at a tick, without any memory.
double ValueAt(const StimulusTimeline& timeline, int64_t tick, int channel = 0,
               int num_channels = 1) {
  TimelineReader reader;
  reader.Reset(num_channels);
  EXPECT_TRUE(reader.GoTo(timeline, tick));
  return reader.value(channel);
}

double LineAt(const StimulusTimeline& timeline, int64_t tick) {
  TimelineReader reader;
  reader.Reset(1);
  reader.GoTo(timeline, tick);
  return reader.value(0) + reader.fraction(0) * reader.slope(0);
}

TEST(TicksOfSampleTest, OnlyMultiplesOfTheTick) {
  EXPECT_EQ(TicksOfSample(0.1, 0.025), 4);
  EXPECT_EQ(TicksOfSample(1.0, 0.0125), 80);
  EXPECT_EQ(TicksOfSample(0.3, 0.1), 3);  // 2.9999999999999996 in doubles
  EXPECT_EQ(TicksOfSample(0.025, 0.025), 1);
  EXPECT_EQ(TicksOfSample(1e6, 0.025), 40'000'000);
  for (const double bad : {0.0, -0.1, 0.01, 0.11, 0.1000001, 1e300, std::nan("")}) {
    EXPECT_EQ(TicksOfSample(bad, 0.025), 0) << bad;
  }
}

// Every tick of both phases, and no other, from each of 10^5 onsets.
TEST(ExactTimingTest, EveryPhaseHasAllOfItsTicksAtAnyOnset) {
  for (const auto& [sample_dt_ms, ticks] : {std::pair(0.1, 4), std::pair(1.0, 40)}) {
    for (int64_t onset = 0; onset < 100'000; ++onset) {
      StimulusTimeline timeline(SampleRule{Kind::kHeld, kDtMs});
      Install(timeline, From(onset, sample_dt_ms, {-1.0, 1.0}));
      TimelineReader reader;
      reader.Reset(1);
      int negative = 0, positive = 0;
      for (int64_t tick = onset - 2; tick < onset + 2 * ticks + 2; ++tick) {
        reader.GoTo(timeline, tick);
        negative += reader.value(0) < 0.0;
        positive += reader.value(0) > 0.0;
      }
      ASSERT_EQ(negative, ticks) << sample_dt_ms << " ms from tick " << onset;
      ASSERT_EQ(positive, ticks) << sample_dt_ms << " ms from tick " << onset;
    }
  }
}

// The rule that is kept for parity, with its fault.
TEST(LivnTimingTest, IsTruncatedInDoubles) {
  StimulusTimeline timeline(SampleRule{Kind::kHeld, kDtMs});
  Install(timeline, OnGrid(42, 0.1, {-1.0, 1.0}));
  int phase[2] = {0, 0};
  for (int64_t tick = 160; tick < 190; ++tick) {
    const auto sample = static_cast<int64_t>(static_cast<double>(tick) * kDtMs / 0.1);
    const double expected = sample == 42 ? -1.0 : sample == 43 ? 1.0 : 0.0;
    ASSERT_EQ(ValueAt(timeline, tick), expected) << tick;
    if (expected != 0.0) ++phase[expected > 0.0];
  }
  EXPECT_NE(phase[0], phase[1]);
}

TEST(LivnTimingTest, Brian2AllowsForRounding) {
  StimulusTimeline timeline(SampleRule{Kind::kHeldRounded, kDtMs});
  Install(timeline, OnGrid(42, 0.1, {-1.0, 1.0}));
  for (int64_t tick = 168; tick < 176; ++tick) {
    EXPECT_EQ(ValueAt(timeline, tick), tick < 172 ? -1.0 : 1.0) << tick;
  }
}

TEST(ExactTimingTest, ALineGoesFromSampleToSampleAtTheMiddlesOfTicks) {
  for (const int64_t onset : {int64_t{0}, int64_t{7}, int64_t{168}, int64_t{99'999}}) {
    StimulusTimeline timeline(SampleRule{Kind::kLine, kDtMs});
    Install(timeline, From(onset, 0.1, {1.0, 3.0}));
    const double expected[] = {0.0, 1.25, 1.75, 2.25, 2.75, 2.625, 1.875, 1.125, 0.375, 0.0};
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(LineAt(timeline, onset - 1 + i), expected[i]) << "tick " << i << " of " << onset;
    }
  }
}

TEST(LivnTimingTest, ALineLeadsToTheFirstSampleAndFromWaveformToWaveform) {
  StimulusTimeline timeline(SampleRule{Kind::kLine, kDtMs});
  Install(timeline, OnGrid(2, 0.1, {1.0, 3.0}));
  Install(timeline, OnGrid(4, 0.1, {5.0}));
  for (int64_t tick = 0; tick < 24; ++tick) {
    const double samples[] = {0.0, 0.0, 1.0, 3.0, 5.0, 0.0, 0.0};
    const double at = (static_cast<double>(tick) * kDtMs + kDtMs / 2.0) / 0.1;
    const auto i = static_cast<int>(std::floor(at));
    EXPECT_EQ(LineAt(timeline, tick), samples[i] + (at - i) * (samples[i + 1] - samples[i]));
  }
}

TEST(StimulusTimelineTest, HoldsNothingOutsideItsWaveforms) {
  StimulusTimeline timeline;
  EXPECT_TRUE(timeline.empty());
  EXPECT_EQ(ValueAt(timeline, 0), 0.0);
  Install(timeline, From(20, 0.1, {10.0, 11.0, 12.0}));
  EXPECT_FALSE(timeline.empty());
  EXPECT_EQ(ValueAt(timeline, 19), 0.0);
  EXPECT_EQ(ValueAt(timeline, 20), 10.0);
  EXPECT_EQ(ValueAt(timeline, 31), 12.0);
  EXPECT_EQ(ValueAt(timeline, 32), 0.0);
}

TEST(StimulusTimelineTest, TheLaterOfTwoWaveformsHolds) {
  StimulusTimeline timeline;
  Install(timeline, From(0, 0.1, {1.0, 2.0, 3.0, 4.0}));
  // Off the grid of the first, and with samples of another length.
  Install(timeline, From(5, 0.05, {10.0, 11.0}));
  const double expected[] = {1, 1, 1, 1, 2, 10, 10, 11, 11, 3, 3, 3, 4, 4, 4, 4, 0};
  for (int tick = 0; tick < 17; ++tick) EXPECT_EQ(ValueAt(timeline, tick), expected[tick]) << tick;
}

TEST(StimulusTimelineTest, AWaveformLeavesOtherChannelsAlone) {
  StimulusTimeline timeline;
  Waveform all = From(0, 0.1, {1.0, 2.0, 3.0});
  all.num_channels = 3;
  Install(timeline, all);
  Waveform some = From(0, 0.1, {30.0, 10.0});
  some.num_channels = 2;
  some.channels = {2, 0};
  Install(timeline, some);
  EXPECT_EQ(ValueAt(timeline, 0, 0, 3), 10.0);
  EXPECT_EQ(ValueAt(timeline, 0, 1, 3), 2.0);
  EXPECT_EQ(ValueAt(timeline, 0, 2, 3), 30.0);
}

TEST(StimulusTimelineTest, ForgetsOnlyWhatIsOver) {
  StimulusTimeline timeline;
  Install(timeline, From(0, 0.025, {1, 1, 1, 1, 1}));
  Install(timeline, From(3, 0.025, {2, 2, 2, 2, 2}));
  EXPECT_FALSE(timeline.ForgetOver(4));
  EXPECT_TRUE(timeline.ForgetOver(5));
  EXPECT_EQ(timeline.num_waveforms(), 1);
  EXPECT_EQ(ValueAt(timeline, 2), 0.0);
  EXPECT_EQ(ValueAt(timeline, 7), 2.0);
}

TEST(StimulusTimelineTest, DoesNotGrowWhileItIsFed) {
  StimulusTimeline timeline;
  for (int64_t now = 0; now < 5000; now += 5) {
    Install(timeline, From(now, 0.025, std::vector<double>(7, static_cast<double>(now))), now);
    EXPECT_LE(timeline.num_waveforms(), 2);
    EXPECT_EQ(ValueAt(timeline, now + 1), static_cast<double>(now));
  }
}

TEST(StimulusTimelineTest, KeepsItsTimingUntilClear) {
  StimulusTimeline timeline;
  EXPECT_FALSE(timeline.timing().has_value());
  Install(timeline, OnGrid(0, 0.25, {1.0}));
  EXPECT_TRUE(timeline.ForgetOver(100));
  EXPECT_TRUE(timeline.empty());
  EXPECT_EQ(timeline.timing(), SampleTiming::kLivn);
  EXPECT_EQ(timeline.sample_dt_ms(), 0.25);
  timeline.Clear();
  EXPECT_FALSE(timeline.timing().has_value());
  EXPECT_EQ(ValueAt(timeline, 0), 0.0);
}

// Followed tick by tick a timeline is what it is at each tick, and a change is told.
TEST(TimelineReaderTest, SaysWhatChanges) {
  for (const bool livn : {false, true}) {
    for (const Kind kind : {Kind::kHeld, Kind::kLine}) {
      StimulusTimeline timeline(SampleRule{kind, kDtMs});
      const std::vector<double> samples = {1.0, 1.0, 2.0, 0.0, 0.0, 5.0};
      Install(timeline, livn ? OnGrid(3, 0.1, samples) : From(13, 0.1, samples));
      TimelineReader reader;
      reader.Reset(1);
      double value = -1.0, slope = -1.0;
      for (int64_t tick = 0; tick < 50; ++tick) {
        const bool changed = reader.GoTo(timeline, tick);
        TimelineReader fresh;
        fresh.Reset(1);
        fresh.GoTo(timeline, tick);
        const double now = fresh.value(0), slope_now = kind == Kind::kLine ? fresh.slope(0) : 0.0;
        EXPECT_EQ(reader.value(0), now) << tick;
        if (kind == Kind::kLine) {
          EXPECT_EQ(reader.slope(0), slope_now) << tick;
          EXPECT_EQ(reader.fraction(0) * slope_now, fresh.fraction(0) * slope_now) << tick;
          EXPECT_EQ(reader.moving(), slope_now != 0.0) << tick;
        }
        EXPECT_EQ(changed, now != value || slope_now != slope) << tick;
        value = now;
        slope = slope_now;
      }
    }
  }
}

TEST(WaveformTest, CountsItsSamples) {
  EXPECT_EQ(Waveform().num_samples(), 0);
  Waveform w;
  w.num_channels = 3;
  w.samples.resize(12);
  EXPECT_EQ(w.num_samples(), 4);
}

}  // namespace
}  // namespace livnd::sim
