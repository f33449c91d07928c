#include "sim/stimulus/stimulus.h"

#include <vector>

#include "gtest/gtest.h"

namespace livnd::sim {
namespace {

Waveform Ramp(int64_t first, int num_samples, double start, int num_channels = 1) {
  Waveform w;
  w.first_sample = first;
  w.num_channels = num_channels;
  for (int i = 0; i < num_samples * num_channels; ++i) w.samples.push_back(start + i);
  return w;
}

double ValueAt(const StimulusTimeline& timeline, int64_t sample, int channel = 0) {
  const double* channels = timeline.At(sample);
  return channels == nullptr ? -1.0 : channels[channel];
}

TEST(StimulusTimelineTest, HoldsNothingOutsideItsWaveforms) {
  StimulusTimeline timeline;
  EXPECT_TRUE(timeline.empty());
  EXPECT_EQ(timeline.At(0), nullptr);
  timeline.Install(Ramp(5, 3, 10.0), 0);
  EXPECT_FALSE(timeline.empty());
  EXPECT_EQ(timeline.At(4), nullptr);
  EXPECT_EQ(ValueAt(timeline, 5), 10.0);
  EXPECT_EQ(ValueAt(timeline, 7), 12.0);
  EXPECT_EQ(timeline.At(8), nullptr);
}

TEST(StimulusTimelineTest, GivesAllChannelsOfASample) {
  StimulusTimeline timeline;
  timeline.Install(Ramp(0, 2, 0.0, 3), 0);
  EXPECT_EQ(ValueAt(timeline, 1, 0), 3.0);
  EXPECT_EQ(ValueAt(timeline, 1, 2), 5.0);
}

TEST(StimulusTimelineTest, TheLaterOfTwoWaveformsHolds) {
  StimulusTimeline timeline;
  timeline.Install(Ramp(0, 10, 100.0), 0);
  timeline.Install(Ramp(3, 2, 200.0), 0);
  EXPECT_EQ(ValueAt(timeline, 2), 102.0);
  EXPECT_EQ(ValueAt(timeline, 3), 200.0);
  EXPECT_EQ(ValueAt(timeline, 4), 201.0);
  EXPECT_EQ(ValueAt(timeline, 5), 105.0);
}

TEST(StimulusTimelineTest, ForgetsOnlyWhatHasEnded) {
  StimulusTimeline timeline;
  timeline.Install(Ramp(0, 5, 100.0), 0);
  timeline.Install(Ramp(3, 5, 200.0), 0);
  timeline.ForgetBefore(5);
  EXPECT_EQ(timeline.At(2), nullptr);
  EXPECT_EQ(ValueAt(timeline, 3), 200.0);
  EXPECT_EQ(ValueAt(timeline, 7), 204.0);
}

TEST(StimulusTimelineTest, DoesNotGrowWhileItIsFed) {
  StimulusTimeline timeline;
  for (int64_t now = 0; now < 5000; now += 5) {
    timeline.Install(Ramp(now, 7, static_cast<double>(now)), now);
    EXPECT_LE(timeline.num_waveforms(), 2);
    EXPECT_EQ(ValueAt(timeline, now + 1), static_cast<double>(now + 1));
  }
}

TEST(StimulusTimelineTest, KeepsItsSampleIntervalUntilClear) {
  StimulusTimeline timeline;
  EXPECT_EQ(timeline.sample_dt_ms(), 0.0);
  Waveform w = Ramp(0, 3, 0.0);
  w.sample_dt_ms = 0.25;
  timeline.Install(w, 0);
  timeline.ForgetBefore(100);
  EXPECT_TRUE(timeline.empty());
  EXPECT_EQ(timeline.sample_dt_ms(), 0.25);
  timeline.Clear();
  EXPECT_EQ(timeline.sample_dt_ms(), 0.0);
}

TEST(StimulusTimelineTest, IsEmptyAfterClear) {
  StimulusTimeline timeline;
  timeline.Install(Ramp(0, 5, 100.0), 0);
  timeline.Clear();
  EXPECT_TRUE(timeline.empty());
  EXPECT_EQ(timeline.At(0), nullptr);
}

TEST(WaveformTest, CountsItsSamples) {
  EXPECT_EQ(Waveform().num_samples(), 0);
  EXPECT_EQ(Ramp(0, 4, 0.0, 3).num_samples(), 4);
}

}  // namespace
}  // namespace livnd::sim
