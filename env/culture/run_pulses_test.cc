#include "env/culture/run_pulses.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/field_error_matchers.h"
#include "env/culture/live_culture.h"
#include "env/culture/testing/cultures.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/stimulus/pulse_schedule.h"
#include "sim/testing/executors.h"

namespace livnd::env {
namespace {

using testing::_;
using testing::HasSubstr;

constexpr double kDtMs = 0.025;
constexpr double kRunMs = 20.0;

std::vector<int32_t> Ids() {
  std::vector<int32_t> ids;
  for (const io::Electrode& e : EiMini()->prepared().setup.electrode_array->electrodes) {
    ids.push_back(e.id);
  }
  return ids;
}

// Trains that overlap on different electrodes, one of them with a long recovery.
io::PulsePlan Plan() {
  const std::vector<int32_t> ids = Ids();
  io::PulsePlan plan;
  plan.pulses.resize(2);
  plan.pulses[0].electrodes = {ids[0], ids[2]};
  plan.pulses[0].amplitude_ua = 12.0;
  plan.pulses[0].width_us = 175.0;
  plan.pulses[0].gap_us = 50.0;
  plan.pulses[0].recovery_width_us = 400.0;
  plan.pulses[0].train.num_pulses = 6;
  plan.pulses[0].train.rate_hz = 370.0;
  plan.pulses[0].last_amplitude_ua = 30.0;
  plan.pulses[1].electrodes = {ids[1]};
  plan.pulses[1].amplitude_ua = 25.0;
  plan.pulses[1].cathodic_first = false;
  plan.pulses[1].train.start_us = 1225.0;
  plan.pulses[1].train.num_pulses = 9;
  plan.pulses[1].train.rate_hz = 500.0;
  return plan;
}

// The same currents, written down tick by tick.
CultureStimulus Samples(const io::PulsePlan& plan) {
  const std::vector<int32_t> ids = Ids();
  const auto schedule = *io::PulseSchedule::Create(plan, ids, {}, kDtMs);
  CultureStimulus stimulus;
  stimulus.quantity = StimulusQuantity::kElectrodeUa;
  stimulus.sample_dt_ms = kDtMs;
  stimulus.electrodes.assign(ids.begin(), ids.end());
  stimulus.num_samples = schedule.currents().num_ticks;
  stimulus.samples.resize(static_cast<size_t>(stimulus.num_samples) * ids.size());
  for (const io::ScheduledPulse& pulse : schedule.currents().pulses) {
    const io::ScheduledEntry& entry = schedule.currents().entries[static_cast<size_t>(pulse.entry)];
    for (int64_t i = 0; i < entry.phases.num_ticks(); ++i) {
      const double level_ua = i < entry.phases.first_ticks ? pulse.level.first_ua
                              : i < entry.phases.first_ticks + entry.phases.gap_ticks
                                  ? 0.0
                                  : pulse.level.recovery_ua;
      for (const int channel : entry.channels) {
        stimulus.samples[static_cast<size_t>(pulse.start_tick + i) * ids.size() +
                         static_cast<size_t>(channel)] = level_ua;
      }
    }
  }
  return stimulus;
}

CultureRun WithPlan(const io::PulsePlan& plan) {
  CultureRun run = For(kRunMs);
  run.pulse_plan = plan;
  return run;
}

void ExpectSame(const CultureRecording& a, const CultureRecording& b) {
  EXPECT_EQ(a.spike_offsets, b.spike_offsets);
  EXPECT_EQ(a.spike_gids, b.spike_gids);
  EXPECT_EQ(a.spike_ticks, b.spike_ticks);
  ASSERT_EQ(a.series.size(), b.series.size());
  for (size_t i = 0; i < a.series.size(); ++i) EXPECT_EQ(a.series[i].values, b.series[i].values);
}

class RunPulsesTest : public testing::Test {
 protected:
  sim::ThreadsExecutor executor_{2};
};

TEST_F(RunPulsesTest, AreTheCurrentsOfTheRule) {
  auto pulses = BusyCulture(executor_, 2), samples = BusyCulture(executor_, 2);
  auto quiet = BusyCulture(executor_, 2);
  // At a time that is no multiple of anything.
  for (LiveCulture* culture : {pulses.get(), samples.get(), quiet.get()}) {
    ASSERT_TRUE(culture->Run(For(7.425)).ok());
  }
  CultureRun run = For(kRunMs);
  run.stimuli = {Samples(Plan())};
  ASSERT_TRUE(pulses->Run(WithPlan(Plan())).ok());
  ASSERT_TRUE(samples->Run(run).ok());
  ASSERT_TRUE(quiet->Run(For(kRunMs)).ok());
  ExpectSame(pulses->recording(), samples->recording());
  EXPECT_NE(pulses->recording().series[0].values, quiet->recording().series[0].values);
  // They are over with their run.
  ASSERT_TRUE(pulses->Run(For(30)).ok());
  ASSERT_TRUE(samples->Run(For(30)).ok());
  ExpectSame(pulses->recording(), samples->recording());
}

TEST_F(RunPulsesTest, HowTheRunIsCutChangesNothing) {
  auto whole = BusyCulture(executor_, 2), cut = BusyCulture(executor_, 2);
  ASSERT_TRUE(whole->Run(WithPlan(Plan())).ok());
  ASSERT_TRUE(cut->BeginRun(WithPlan(Plan())).ok());
  for (int64_t ticks = 1; !cut->ContinueRun(ticks).over; ticks = ticks % 11 + 3) {
  }
  ASSERT_TRUE(cut->FinishRun().ok());
  ExpectSame(whole->recording(), cut->recording());
}

TEST_F(RunPulsesTest, ARefusedPlanLeavesNothing) {
  auto refused = BusyCulture(executor_, 1), plain = BusyCulture(executor_, 1);
  const auto error = [&](const auto& change, double duration_ms = kRunMs) {
    CultureRun run = For(duration_ms);
    run.pulse_plan = Plan();
    change(run);
    return refused->Run(run);
  };
  const auto nothing = [](CultureRun&) {};
  EXPECT_THAT(error([](CultureRun& r) { r.pulse_plan->pulses[1].electrodes = {12345}; }),
              IsFieldError("pulse_plan.pulses[1].electrodes[0]", "12345", _));
  EXPECT_THAT(error([](CultureRun& r) { r.pulse_plan->pulses[0].width_us = 30.0; }),
              IsFieldError("pulse_plan.pulses[0].width_us", "30", _));
  EXPECT_THAT(error(nothing, 17.0),
              IsFieldError("pulse_plan", "17.625 ms", HasSubstr("over within the run")));
  EXPECT_THAT(error([](CultureRun& r) { r.pulse_plan->pulses[1].amplitude_ua = 5000.0; }),
              IsFieldError("pulse_plan.pulses[1].amplitude_ua", HasSubstr("mV at a cell"),
                           "potentials of -1000 .. 1000 mV"));
  EXPECT_THAT(error([](CultureRun& r) { r.stimuli = {Samples(Plan())}; }),
              IsFieldError("pulse_plan", "beside 1 stimuli of the field that are not over", _));
  EXPECT_THAT(error([](CultureRun& r) {
                r.pulse_plan->light.resize(1);
                r.pulse_plan->light[0].fibers = {0};
              }),
              IsFieldError("pulse_plan.light", "power of fibres", HasSubstr("no fibres")));
  ASSERT_TRUE(refused->Run(For(30)).ok());
  ASSERT_TRUE(plain->Run(For(30)).ok());
  ExpectSame(refused->recording(), plain->recording());
}

// Currents of either sign may cancel, so sums of sizes do not decide.
TEST_F(RunPulsesTest, TheFieldIsLookedAtWhereItIs) {
  auto culture = BusyCulture(executor_, 1);
  io::PulsePlan plan;
  plan.pulses.resize(2);
  for (size_t i = 0; i < 2; ++i) {
    plan.pulses[i].electrodes = {Ids()[0], Ids()[1]};
    plan.pulses[i].amplitude_ua = 10.0;
    plan.pulses[i].train.num_pulses = 2;
    plan.pulses[i].train.rate_hz = 400.0;
  }
  plan.pulses[1].electrodes = {Ids()[2]};
  // The largest that one phase of all three may be.
  double low = 10.0, high = 5000.0;
  const auto takes = [&](double amplitude_ua) {
    for (io::ElectrodePulses& entry : plan.pulses) entry.amplitude_ua = amplitude_ua;
    CultureRun run = For(0.0);
    run.duration_ms = 10.0;
    run.pulse_plan = plan;
    auto fresh = BusyCulture(executor_, 1);
    return fresh->BeginRun(run).ok();
  };
  ASSERT_TRUE(takes(low));
  ASSERT_FALSE(takes(high));
  for (int i = 0; i < 12; ++i) {
    const double middle = (low + high) / 2.0;
    (takes(middle) ? low : high) = middle;
  }
  // The other sign on one electrode takes away from the field of the others.
  plan.pulses[1].cathodic_first = false;
  EXPECT_TRUE(takes(high));
}

// Fields that nearly cancel, and are never twice the same: each would have to be looked at.
TEST_F(RunPulsesTest, APlanThatTakesTooLongToLookAtIsRefused) {
  auto culture = BusyCulture(executor_, 1);
  const std::vector<int32_t> ids = Ids();
  CultureRun run = For(30'000.0);
  run.pulse_plan.emplace();
  run.pulse_plan->pulses.resize(2);
  for (size_t i = 0; i < 2; ++i) {
    io::ElectrodePulses& entry = run.pulse_plan->pulses[i];
    entry.electrodes.assign(ids.begin() + 4 * static_cast<ptrdiff_t>(i),
                            ids.begin() + 4 * static_cast<ptrdiff_t>(i + 1));
    entry.cathodic_first = i == 0;
    entry.width_us = 25.0;
    entry.amplitude_ua = 60.0;
    entry.last_amplitude_ua = 61.0;
    entry.train.num_pulses = 499'000;
    entry.train.rate_hz = 20'000.0;
  }
  EXPECT_THAT(culture->BeginRun(run), IsFieldError("pulse_plan", HasSubstr("many different levels"),
                                                   "weaker pulses, or fewer at one time"));
  for (io::ElectrodePulses& entry : run.pulse_plan->pulses) entry.last_amplitude_ua.reset();
  EXPECT_TRUE(culture->BeginRun(run).ok());
}

TEST_F(RunPulsesTest, ChargesAreToldWhereTheyAreAskedFor) {
  auto culture = BusyCulture(executor_, 2);
  CultureRun run = WithPlan(Plan());
  ASSERT_TRUE(culture->Run(run).ok());
  EXPECT_TRUE(culture->recording().charges.empty());
  run.account_charges = true;
  ASSERT_TRUE(culture->Run(run).ok());
  const auto schedule = *io::PulseSchedule::Create(Plan(), Ids(), {}, kDtMs);
  const std::vector<io::ElectrodeCharge> expected = schedule.Charges();
  const std::vector<io::ElectrodeCharge>& charges = culture->recording().charges;
  ASSERT_EQ(charges.size(), expected.size());
  for (size_t e = 0; e < charges.size(); ++e) {
    EXPECT_EQ(charges[e].num_pulses, expected[e].num_pulses);
    EXPECT_EQ(charges[e].net_nc, 0.0);
    EXPECT_EQ(charges[e].absolute_nc, expected[e].absolute_nc);
    EXPECT_EQ(charges[e].max_phase_nc, expected[e].max_phase_nc);
  }
  EXPECT_GT(charges[0].absolute_nc, 0.0);
  run.pulse_plan.reset();
  EXPECT_THAT(culture->Run(run), IsFieldError("charges", "asked for", _));
}

TEST_F(RunPulsesTest, ARunThatIsGivenUpHasNotHadThem) {
  auto bounded = BusyCulture(executor_, 1), plain = BusyCulture(executor_, 1);
  CultureRun run = WithPlan(Plan());
  run.sure_recording_bytes = 0;
  ASSERT_TRUE(bounded->BeginRun(run).ok());
  bounded->ContinueRun(100);
  bounded->GiveUpRun();
  while (!bounded->ContinueRun(100).over) {
  }
  EXPECT_EQ(bounded->FinishRun().code(), absl::StatusCode::kResourceExhausted);
  ASSERT_TRUE(bounded->Run(For(40)).ok());
  ASSERT_TRUE(plain->Run(For(40)).ok());
  ExpectSame(bounded->recording(), plain->recording());
}

}  // namespace
}  // namespace livnd::env
