#include "io/device/preset/stimulation_limits.h"

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/field_error.h"
#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/testing/num_draws.h"

namespace livnd::io {
namespace {

using testing::_;
using testing::HasSubstr;

const std::vector<int32_t> kIds = {0, 1, 2, 3, 4, 5};

ElectrodePulses Pulses(std::vector<int32_t> electrodes, double amplitude_ua, double start_us = 0) {
  ElectrodePulses pulses;
  pulses.electrodes = std::move(electrodes);
  pulses.amplitude_ua = amplitude_ua;
  pulses.train.start_us = start_us;
  return pulses;
}

absl::Status Check(const StimulationLimits& limits, PulsePlan plan, double dt_ms = 0.025) {
  const auto schedule = PulseSchedule::Create(std::move(plan), kIds, {}, dt_ms);
  EXPECT_TRUE(schedule.ok()) << schedule.status();
  return schedule.ok() ? limits.Check(*schedule, kIds) : schedule.status();
}

TEST(StimulationLimitsTest, NoLimitsTakeEverything) {
  PulsePlan plan;
  plan.pulses = {Pulses(kIds, 9000.0)};
  plan.pulses[0].shape = PulseShape::kMonophasic;
  plan.pulses[0].cathodic_first = false;
  EXPECT_TRUE(Check({}, plan).ok());
}

TEST(StimulationLimitsTest, Amplitude) {
  StimulationLimits limits;
  limits.max_amplitude_ua = 3.0;
  PulsePlan plan;
  plan.pulses = {Pulses({0}, 3.0), Pulses({1}, 1.0)};
  EXPECT_TRUE(Check(limits, plan).ok());
  plan.pulses[1].recovery_width_us = 50.0;  // 4 uA
  EXPECT_THAT(Check(limits, plan),
              IsFieldError("pulses[1].recovery_amplitude_ua", "4 uA", "at most 3 on this device"));
  plan.pulses[1].recovery_width_us.reset();
  plan.pulses[1].train.num_pulses = 5;
  plan.pulses[1].train.rate_hz = 10.0;
  plan.pulses[1].last_amplitude_ua = 3.5;
  EXPECT_THAT(Check(limits, plan),
              IsFieldError("pulses[1].last_amplitude_ua", "3.5 uA", "at most 3 on this device"));
}

TEST(StimulationLimitsTest, ChargeOfAPhase) {
  StimulationLimits limits;
  limits.max_phase_charge_nc = 0.6;
  PulsePlan plan;
  plan.pulses = {Pulses({0}, 3.0)};  // 200 us
  EXPECT_TRUE(Check(limits, plan).ok());
  plan.pulses[0].width_us = 225.0;
  EXPECT_THAT(Check(limits, plan), IsFieldError("pulses[0].width_us", HasSubstr("nC in a phase"),
                                                "at most 0.6 on this device"));
}

TEST(StimulationLimitsTest, ChargeOfAnElectrode) {
  StimulationLimits limits;
  limits.max_electrode_charge_nc = 4.0;
  PulsePlan plan;
  plan.pulses = {Pulses({0, 1}, 5.0), Pulses({1}, 5.0, 10'000.0), Pulses({2}, 5.0, 20'000.0)};
  EXPECT_TRUE(Check(limits, plan).ok());  // 2 nC a pulse
  plan.pulses.push_back(Pulses({1}, 1.0, 30'000.0));
  EXPECT_THAT(Check(limits, plan),
              IsFieldError("pulses[3].num_pulses", HasSubstr("nC so far on electrode 1"), _));
}

TEST(StimulationLimitsTest, PulseRate) {
  StimulationLimits limits;
  limits.max_pulse_rate_hz = 200.0;
  PulsePlan plan;
  plan.pulses = {Pulses({0}, 1.0)};
  plan.pulses[0].train.num_pulses = 100;
  plan.pulses[0].train.rate_hz = 200.0;
  EXPECT_TRUE(Check(limits, plan).ok());
  EXPECT_TRUE(Check(limits, plan, 0.0125).ok());
  plan.pulses[0].train.rate_hz = 203.0;
  EXPECT_THAT(Check(limits, plan), IsFieldError("pulses[0].rate_hz", HasSubstr("on electrode 0"),
                                                "at most 200 Hz on this device"));
  plan.pulses[0].train.rate_hz = 100.0;
  plan.pulses.push_back(Pulses({3, 0}, 1.0, 4'000.0));
  EXPECT_THAT(
      Check(limits, plan),
      IsFieldError("pulses[1].start_us", "a pulse 4000 us after another one on electrode 0", _));
  // Every rate up to the limit passes, whatever its onsets are rounded to.
  limits.max_pulse_rate_hz = 170.0;
  plan.pulses.resize(1);
  for (double rate_hz = 150.0; rate_hz <= 170.0; rate_hz += 0.37) {
    plan.pulses[0].train.rate_hz = rate_hz;
    EXPECT_TRUE(Check(limits, plan).ok()) << rate_hz;
  }
}

TEST(StimulationLimitsTest, TimeGrid) {
  StimulationLimits limits;
  limits.time_grid_us = 20.0;
  PulsePlan plan;
  plan.pulses = {Pulses({0}, 1.0, 100.0)};
  EXPECT_TRUE(Check(limits, plan).ok());
  for (const auto& [field, value] : {std::make_pair("start_us", &plan.pulses[0].train.start_us),
                                     std::make_pair("width_us", &plan.pulses[0].width_us),
                                     std::make_pair("gap_us", &plan.pulses[0].gap_us)}) {
    const double before = *value;
    *value = 150.0;
    EXPECT_THAT(Check(limits, plan), IsFieldError(std::string("pulses[0].") + field, "150",
                                                  "a multiple of 20 (us) on this device"));
    *value = before;
  }
  plan.pulses[0].recovery_width_us = 50.0;
  EXPECT_THAT(Check(limits, plan), IsFieldError("pulses[0].recovery_width_us", "50", _));
  plan.pulses[0].recovery_width_us.reset();
  plan.pulses[0].recovery_amplitude_ua = 4.0;  // in a quarter of 200 us
  EXPECT_THAT(Check(limits, plan),
              IsFieldError("pulses[0].recovery_amplitude_ua", "a recovery of 50 us",
                           "a multiple of 20 (us) on this device"));
  plan.pulses[0].recovery_amplitude_ua.reset();
  plan.pulses[0].train.num_pulses = 3;
  plan.pulses[0].train.rate_hz = 125.0;
  EXPECT_TRUE(Check(limits, plan).ok());
  plan.pulses[0].train.rate_hz = 300.0;
  EXPECT_THAT(Check(limits, plan), IsFieldError("pulses[0].rate_hz", "a pulse at 3425 us", _));
}

TEST(StimulationLimitsTest, ElectrodesAtOneTime) {
  StimulationLimits limits;
  limits.max_active_electrodes = 3;
  PulsePlan plan;
  plan.pulses = {Pulses({0, 1}, 1.0), Pulses({2}, 1.0, 200.0), Pulses({3, 4}, 1.0, 400.0)};
  EXPECT_TRUE(Check(limits, plan).ok());
  plan.pulses[2].train.start_us = 375.0;
  EXPECT_THAT(Check(limits, plan),
              IsFieldError("pulses[2].electrodes", "5 at one time, 375 us after the plan's start",
                           "at most 3 on this device"));
}

TEST(StimulationLimitsTest, ShapesAndElectrodes) {
  StimulationLimits limits;
  limits.record_only = {4};
  limits.only_balanced = true;
  limits.only_cathodic_first = true;
  PulsePlan plan;
  plan.pulses = {Pulses({0, 1}, 1.0)};
  EXPECT_TRUE(Check(limits, plan).ok());
  plan.pulses[0].cathodic_first = false;
  EXPECT_THAT(Check(limits, plan), IsFieldError("pulses[0].cathodic_first", "false", _));
  plan.pulses[0].shape = PulseShape::kMonophasic;
  EXPECT_THAT(Check(limits, plan), IsFieldError("pulses[0].shape", "monophasic", _));
  plan.pulses[0].electrodes = {1, 4};
  EXPECT_THAT(Check(limits, plan),
              IsFieldError("pulses[0].electrodes[1]", "4, which takes no current", _));
}

TEST(StimulationLimitsTest, LimitsAreNumbersAboveZero) {
  StimulationLimits limits;
  limits.max_pulse_rate_hz = std::nan("");
  EXPECT_THAT(limits.Validate(), IsFieldError("max_pulse_rate_hz", "nan", "a finite number > 0"));
  limits = {};
  limits.time_grid_us = 0.0;
  EXPECT_THAT(limits.Validate(), IsFieldError("time_grid_us", "0", _));
  limits = {};
  limits.max_active_electrodes = 0;
  EXPECT_THAT(limits.Validate(), IsFieldError("max_active_electrodes", "0", _));
  limits = {};
  limits.record_only = {3, 3};
  EXPECT_THAT(limits.Validate(), IsFieldError("record_only[1]", "3 for the second time", _));
}

// What passes keeps to the limits, counted in another way, and what is refused names an entry.
TEST(StimulationLimitsPropertyTest, WhatPassesKeepsToTheLimits) {
  std::mt19937_64 random(3);
  const auto pick = [&](uint64_t n) { return random() % n; };
  int num_passed = 0, num_refused = 0;
  const int num_draws = NumDraws("LIVND_PLAN_DRAWS", 10'000);
  for (int i = 0; i < num_draws; ++i) {
    StimulationLimits limits;
    limits.max_amplitude_ua = 5.0 + static_cast<double>(pick(20));
    limits.max_phase_charge_nc = 1.0 + static_cast<double>(pick(5));
    limits.max_electrode_charge_nc = 4.0 + static_cast<double>(pick(40));
    limits.max_pulse_rate_hz = 20.0 + static_cast<double>(pick(200));
    limits.max_active_electrodes = 1 + static_cast<int64_t>(pick(6));
    if (pick(4) == 0) limits.time_grid_us = 50.0;
    PulsePlan plan;
    for (uint64_t k = 0, n = 1 + pick(3); k < n; ++k) {
      const auto first = static_cast<int32_t>(pick(6));
      plan.pulses.push_back(Pulses({first}, static_cast<double>(1 + pick(14))));
      if (pick(2) == 0) plan.pulses.back().electrodes.push_back((first + 1) % 6);
      plan.pulses.back().train.start_us = 25.0 * static_cast<double>(pick(2000));
      plan.pulses.back().train.num_pulses = 1 + static_cast<int64_t>(pick(4));
      const double rate_hz = 5.0 + static_cast<double>(pick(150));
      if (plan.pulses.back().train.num_pulses > 1) plan.pulses.back().train.rate_hz = rate_hz;
      plan.pulses.back().width_us = 25.0 * static_cast<double>(1 + pick(10));
    }
    const auto schedule = PulseSchedule::Create(plan, kIds, {}, 0.025);
    if (!schedule.ok()) continue;  // pulses meet
    const absl::Status status = limits.Check(*schedule, kIds);
    if (!status.ok()) {
      ++num_refused;
      ASSERT_THAT(FieldErrorOf(status)->field, testing::StartsWith("pulses["));
      continue;
    }
    ++num_passed;
    const auto& track = schedule->currents();
    for (const ElectrodeCharge& charge : schedule->Charges()) {
      ASSERT_LE(charge.absolute_nc, *limits.max_electrode_charge_nc * (1 + 1e-9));
      ASSERT_LE(charge.max_phase_nc, *limits.max_phase_charge_nc * (1 + 1e-9));
    }
    for (const ScheduledPulse& a : track.pulses) {
      ASSERT_LE(std::fabs(a.level.first_ua), *limits.max_amplitude_ua);
      ASSERT_TRUE(!limits.time_grid_us.has_value() || a.start_tick % 2 == 0);
      int64_t active = 0;
      for (const ScheduledPulse& b : track.pulses) {
        const ScheduledEntry& entry = track.entries[static_cast<size_t>(b.entry)];
        if (b.start_tick <= a.start_tick &&
            a.start_tick < b.start_tick + entry.phases.num_ticks()) {
          active += static_cast<int64_t>(entry.channels.size());
        }
      }
      ASSERT_LE(active, *limits.max_active_electrodes);
    }
  }
  EXPECT_GT(num_passed, 300);
  EXPECT_GT(num_refused, 300);
}

}  // namespace
}  // namespace livnd::io
