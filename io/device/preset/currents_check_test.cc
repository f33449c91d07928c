#include "io/device/preset/currents_check.h"

#include <cstdint>
#include <vector>

#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace livnd::io {
namespace {

using testing::HasSubstr;

constexpr double kDtMs = 0.025;
const std::vector<int32_t> kIds = {7, 3};

// Samples of 200 us on electrodes 7 and 3, from 100 ticks after a run's start at tick 1000.
sim::Waveform Currents(const std::vector<double>& samples, int64_t tick = 1100) {
  sim::Waveform waveform;
  waveform.sample_dt_ms = 0.2;
  waveform.first_tick = tick;
  waveform.num_channels = 2;
  waveform.samples = samples;
  return waveform;
}

// A pulse on electrode 7 and, later, a weaker one on electrode 3.
const std::vector<double> kPulses = {-10, 0, 10, 0, 0, -4, 0, 4};

absl::Status CheckOne(const StimulationLimits& limits, const std::vector<double>& samples) {
  return CurrentsCheck(limits, kIds, kDtMs).Check(Currents(samples), 1000);
}

TEST(CurrentsCheckTest, WhatKeepsToThemIsTaken) {
  StimulationLimits limits;
  EXPECT_TRUE(CheckOne(limits, kPulses).ok());
  limits.max_amplitude_ua = 10.0;
  limits.max_phase_charge_nc = 2.0;
  limits.max_electrode_charge_nc = 4.0;
  limits.max_pulse_rate_hz = 1000.0;
  limits.time_grid_us = 100.0;
  limits.max_active_electrodes = 1;
  limits.only_balanced = limits.only_cathodic_first = true;
  EXPECT_TRUE(CheckOne(limits, kPulses).ok());
  EXPECT_TRUE(CheckOne(limits, {}).ok());
}

TEST(CurrentsCheckTest, EachLimitIsHeld) {
  const auto refused = [](auto set, const std::vector<double>& samples) {
    StimulationLimits limits;
    set(limits);
    return CheckOne(limits, samples);
  };
  using Limits = StimulationLimits;
  EXPECT_THAT(refused([](Limits& l) { l.max_amplitude_ua = 9.0; }, kPulses),
              IsFieldError("", "10 uA on electrode 7, 2500 us after the run's start",
                           "at most 9 on this device"));
  EXPECT_THAT(refused([](Limits& l) { l.max_phase_charge_nc = 1.9; }, kPulses),
              IsFieldError("", HasSubstr("2 nC in a phase on electrode 7"), HasSubstr("1.9")));
  EXPECT_THAT(refused([](Limits& l) { l.max_electrode_charge_nc = 3.9; }, kPulses),
              IsFieldError("", HasSubstr("4 nC so far on electrode 7"), HasSubstr("3.9")));
  EXPECT_THAT(refused([](Limits& l) { l.record_only = {3}; }, kPulses),
              IsFieldError("", "a current on electrode 3, 2900 us after the run's start",
                           HasSubstr("take current")));
  EXPECT_THAT(refused([](Limits& l) { l.time_grid_us = 1000.0; }, kPulses),
              IsFieldError("", HasSubstr("a phase that begins or ends"), HasSubstr("1000 (us)")));
  EXPECT_THAT(refused([](Limits& l) { l.only_cathodic_first = true; }, {10, 0, -10, 0}),
              IsFieldError("", HasSubstr("an anodic phase first"), HasSubstr("cathodic")));
  EXPECT_THAT(refused([](Limits& l) { l.only_balanced = true; }, {-10, 0, 9, 0}),
              IsFieldError("", HasSubstr("a pulse that leaves"), HasSubstr("return their charge")));
  EXPECT_THAT(refused([](Limits& l) { l.max_active_electrodes = 1; }, {-1, -1, 1, 1}),
              IsFieldError("", "2 electrodes at one time, 2500 us after the run's start",
                           "at most 1 on this device"));
  // Pulses that follow each other at once are two, each balanced.
  EXPECT_THAT(refused([](Limits& l) { l.max_pulse_rate_hz = 2000.0; }, {-1, 0, 1, 0, -1, 0, 1, 0}),
              IsFieldError("", HasSubstr("a pulse 400 us after another one on electrode 7"),
                           "at most 2000 Hz on this device"));
  EXPECT_TRUE(refused([](Limits& l) { l.only_balanced = true; }, {-1, 0, 1, 0, -1, 0, 1, 0}).ok());
}

// Charge and onsets are of the whole run.
TEST(CurrentsCheckTest, StepsAddUp) {
  StimulationLimits limits;
  limits.max_electrode_charge_nc = 9.0;
  CurrentsCheck charge(limits, kIds, kDtMs);
  EXPECT_TRUE(charge.Check(Currents(kPulses), 1000).ok());
  EXPECT_TRUE(charge.Check(Currents(kPulses, 1400), 1000).ok());
  EXPECT_THAT(charge.Check(Currents(kPulses, 1800), 1000),
              IsFieldError("", HasSubstr("nC so far"), HasSubstr("9")));
  limits = {};
  limits.max_pulse_rate_hz = 50.0;
  CurrentsCheck rate(limits, kIds, kDtMs);
  EXPECT_TRUE(rate.Check(Currents(kPulses), 1000).ok());
  EXPECT_TRUE(rate.Check(Currents(kPulses, 1900), 1000).ok());  // 20 ms later
  EXPECT_THAT(rate.Check(Currents(kPulses, 2300), 1000),
              IsFieldError("", HasSubstr("10000 us after"), HasSubstr("50 Hz")));
}

}  // namespace
}  // namespace livnd::io
