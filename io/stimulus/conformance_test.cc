// The worked cases of livn's pulse policies, with the right answer where livn's own is wrong.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/stimulus/pulse_plan.h"
#include "io/stimulus/pulse_schedule.h"
#include "sim/stimulus/timeline.h"

namespace livnd::io {
namespace {

using testing::ElementsAre;

// One entry of the defaults of livn's BiphasicPulsePolicy: -1.5 uA for 0.2 ms, 0.05 ms, +1.5 uA for 0.2 ms.
ElectrodePulses Biphasic() {
  ElectrodePulses pulses;
  pulses.electrodes = {0};
  pulses.amplitude_ua = 1.5;
  pulses.width_us = 200.0;
  pulses.gap_us = 50.0;
  return pulses;
}

// The currents of electrode `of`, [tick], for as long as the plan lasts or some ticks.
std::vector<double> Currents(const std::vector<ElectrodePulses>& entries, double dt_ms, int of = 0,
                             int64_t num_ticks = 0) {
  std::vector<int32_t> ids(8);
  std::iota(ids.begin(), ids.end(), 0);
  PulsePlan plan;
  plan.pulses = entries;
  const auto schedule = PulseSchedule::Create(plan, ids, {}, dt_ms);
  EXPECT_TRUE(schedule.ok()) << schedule.status();
  std::vector<double> currents;
  if (!schedule.ok()) return currents;
  const int64_t end = num_ticks > 0 ? num_ticks : schedule->currents().num_ticks;
  std::vector<sim::Waveform> waveforms;
  schedule->AppendWaveforms(schedule->currents(), 0, 0, end, &waveforms);
  sim::StimulusTimeline timeline({sim::SampleRule::Kind::kHeld, dt_ms});
  for (sim::Waveform& w : waveforms) {
    timeline.Install(std::make_shared<const sim::Waveform>(std::move(w)), 0);
  }
  sim::TimelineReader reader;
  reader.Reset(8);
  for (int64_t tick = 0; tick < end; ++tick) {
    reader.GoTo(timeline, tick);
    currents.push_back(reader.value(of));
  }
  return currents;
}

std::vector<int64_t> NonZero(const std::vector<double>& currents) {
  std::vector<int64_t> ticks;
  for (size_t i = 0; i < currents.size(); ++i) {
    if (currents[i] != 0.0) ticks.push_back(static_cast<int64_t>(i));
  }
  return ticks;
}

TEST(PulseConformanceTest, PO1BiphasicDefaults) {
  EXPECT_THAT(Currents({Biphasic()}, 0.05),
              ElementsAre(-1.5, -1.5, -1.5, -1.5, 0, 1.5, 1.5, 1.5, 1.5));
}

TEST(PulseConformanceTest, PO2AnodicFirstFlips) {
  ElectrodePulses pulses = Biphasic();
  pulses.amplitude_ua = 1.0;
  pulses.gap_us = 100.0;
  EXPECT_THAT(Currents({pulses}, 0.1), ElementsAre(-1, -1, 0, 1, 1));
  pulses.cathodic_first = false;
  EXPECT_THAT(Currents({pulses}, 0.1), ElementsAre(1, 1, 0, -1, -1));
}

TEST(PulseConformanceTest, PO3ATrainOfFive) {
  ElectrodePulses pulses = Biphasic();
  pulses.train.num_pulses = 5;
  pulses.train.rate_hz = 100.0;
  const std::vector<double> currents = Currents({pulses}, 0.05);
  EXPECT_EQ(currents.size(), 809u);
  EXPECT_EQ(NonZero(currents).size(), 40u);
  for (const size_t onset : {0, 200, 400, 600, 800}) EXPECT_EQ(currents[onset], -1.5);
  EXPECT_EQ(std::accumulate(currents.begin(), currents.end(), 0.0), 0.0);
}

TEST(PulseConformanceTest, PO4FinerTicks) {
  const std::vector<double> currents = Currents({Biphasic()}, 0.01);
  EXPECT_EQ(currents.size(), 45u);
  EXPECT_EQ(std::count(currents.begin(), currents.end(), -1.5), 20);
  EXPECT_EQ(std::count(currents.begin(), currents.end(), 1.5), 20);
}

// livn cuts 0.3 / 0.05 = 5.999... to five rows.
TEST(PulseConformanceTest, PO5WidthsAreNotCut) {
  ElectrodePulses pulses = Biphasic();
  pulses.width_us = 300.0;
  const std::vector<double> currents = Currents({pulses}, 0.05);
  EXPECT_EQ(std::count(currents.begin(), currents.end(), -1.5), 6);
  EXPECT_EQ(std::count(currents.begin(), currents.end(), 1.5), 6);
}

TEST(PulseConformanceTest, PO6MonophasicTrain) {
  ElectrodePulses pulses = Biphasic();
  pulses.shape = PulseShape::kMonophasic;
  pulses.cathodic_first = false;
  pulses.gap_us = 0.0;
  pulses.width_us = 5000.0;
  pulses.train.num_pulses = 3;
  pulses.train.rate_hz = 40.0;
  const std::vector<double> currents = Currents({pulses}, 1.0);
  EXPECT_EQ(currents.size(), 55u);
  EXPECT_THAT(NonZero(currents),
              ElementsAre(0, 1, 2, 3, 4, 25, 26, 27, 28, 29, 50, 51, 52, 53, 54));
}

TEST(PulseConformanceTest, PO8ShortMonophasic) {
  ElectrodePulses pulses = Biphasic();
  pulses.shape = PulseShape::kMonophasic;
  pulses.gap_us = 0.0;
  EXPECT_EQ(NonZero(Currents({pulses}, 0.05)).size(), 4u);
}

// Of livn's PulseSweepPolicy: 300 and 600 uA, one trial of 100 ms each, at 50 ms, 0.1 ms a phase.
TEST(PulseConformanceTest, PO9Sweep) {
  ElectrodePulses pulses = Biphasic();
  pulses.electrodes = {3};
  pulses.gap_us = 0.0;
  pulses.width_us = 100.0;
  pulses.amplitude_ua = 300.0;
  pulses.last_amplitude_ua = 600.0;
  pulses.train.start_us = 50'000.0;
  pulses.train.num_pulses = 2;
  pulses.train.rate_hz = 10.0;
  const std::vector<double> currents = Currents({pulses}, 0.1, 3, 2000);
  EXPECT_THAT(NonZero(currents), ElementsAre(500, 501, 1500, 1501));
  EXPECT_EQ(currents[500], -300.0);
  EXPECT_EQ(currents[501], 300.0);
  EXPECT_EQ(currents[1500], -600.0);
  EXPECT_EQ(currents[1501], 600.0);
}

}  // namespace
}  // namespace livnd::io
