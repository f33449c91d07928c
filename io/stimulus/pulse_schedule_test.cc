#include "io/stimulus/pulse_schedule.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/testing/num_draws.h"
#include "sim/stimulus/timeline.h"

namespace livnd::io {
namespace {

using testing::HasSubstr;

constexpr double kDtMs = 0.025;

std::vector<int32_t> Ids(int n) {
  std::vector<int32_t> ids(static_cast<size_t>(n));
  std::iota(ids.begin(), ids.end(), 10);
  return ids;
}

ElectrodePulses Pulses(std::vector<int32_t> electrodes, double amplitude_ua, double start_us = 0) {
  ElectrodePulses pulses;
  pulses.electrodes = std::move(electrodes);
  pulses.amplitude_ua = amplitude_ua;
  pulses.train.start_us = start_us;
  return pulses;
}

absl::StatusOr<PulseSchedule> Admit(PulsePlan plan, double dt_ms = kDtMs) {
  return PulseSchedule::Create(std::move(plan), Ids(8), Ids(2), dt_ms);
}

// The currents of a run of a plan, [tick][channel], as the simulation follows them. The run is cut into steps, each
// of which is given the pulses that begin in it.
std::vector<std::vector<double>> Play(const PulseSchedule& schedule, const PulseTrack& track,
                                      int num_channels, int64_t origin, int64_t num_ticks,
                                      std::mt19937_64& random) {
  sim::StimulusTimeline timeline({sim::SampleRule::Kind::kHeld, schedule.dt_ms()});
  sim::TimelineReader reader;
  std::vector<std::vector<double>> currents;
  std::vector<sim::Waveform> waveforms;
  for (int64_t tick = origin; tick < origin + num_ticks;) {
    const int64_t end =
        std::min(origin + num_ticks, tick + 1 + static_cast<int64_t>(random() % 400));
    waveforms.clear();
    schedule.AppendWaveforms(track, origin, tick, end, &waveforms);
    for (const sim::Waveform& w : waveforms) {
      timeline.Install(std::make_shared<const sim::Waveform>(w), tick);
    }
    reader.Reset(num_channels);
    for (; tick < end; ++tick) {
      reader.GoTo(timeline, tick);
      currents.emplace_back(reader.values(), reader.values() + num_channels);
    }
  }
  return currents;
}

TEST(PulseScheduleTest, APulseIsCathodicFirstAndBeginsAtItsTick) {
  PulsePlan plan;
  plan.pulses.push_back(Pulses({11}, 5.0, 75.0));
  plan.pulses[0].width_us = 50.0;
  plan.pulses[0].gap_us = 25.0;
  const auto schedule = Admit(plan);
  ASSERT_TRUE(schedule.ok()) << schedule.status();
  EXPECT_EQ(schedule->currents().num_ticks, 8);
  std::mt19937_64 random(1);
  std::vector<double> of_channel;
  for (const auto& row : Play(*schedule, schedule->currents(), 8, 1000, 10, random)) {
    of_channel.push_back(row[1]);
    EXPECT_EQ(row[0], 0.0);
  }
  EXPECT_THAT(of_channel, testing::ElementsAre(0, 0, 0, -5, -5, 0, 5, 5, 0, 0));
}

TEST(PulseScheduleTest, OnsetsAreNextToTheirTimesAndDoNotDrift) {
  PulsePlan plan;
  plan.pulses.push_back(Pulses({10}, 5.0));
  plan.pulses[0].train.num_pulses = 30'000;
  plan.pulses[0].train.rate_hz = 30.0;  // 1333.33 ticks
  const auto schedule = Admit(plan);
  ASSERT_TRUE(schedule.ok()) << schedule.status();
  for (size_t k = 0; k < 30'000; ++k) {
    const double exact = static_cast<double>(k) * 1e6 / 30.0 / 25.0;
    ASSERT_LE(std::fabs(static_cast<double>(schedule->currents().pulses[k].start_tick) - exact),
              0.5 + 1e-6);
  }
}

TEST(PulseScheduleTest, SweepsGoInStraightLines) {
  PulsePlan plan;
  plan.pulses.push_back(Pulses({10}, 2.0));
  plan.pulses[0].train.num_pulses = 5;
  plan.pulses[0].last_amplitude_ua = 6.0;
  plan.pulses[0].train.rate_hz = 100.0;       // intervals of 100, 200, 300, 400 Hz:
  plan.pulses[0].train.last_rate_hz = 400.0;  // 10, 5, 3.3333, 2.5 ms
  const auto schedule = Admit(plan);
  ASSERT_TRUE(schedule.ok()) << schedule.status();
  std::vector<int64_t> ticks;
  std::vector<double> amplitudes;
  for (const ScheduledPulse& pulse : schedule->currents().pulses) {
    ticks.push_back(pulse.start_tick);
    amplitudes.push_back(pulse.level.first_ua);
  }
  EXPECT_THAT(ticks, testing::ElementsAre(0, 400, 600, 733, 833));
  EXPECT_THAT(amplitudes, testing::ElementsAre(-2, -3, -4, -5, -6));
}

TEST(PulseScheduleTest, BurstsRepeatTheTrain) {
  PulsePlan plan;
  plan.pulses.push_back(Pulses({10}, 2.0, 1000.0));
  plan.pulses[0].train.num_pulses = 2;
  plan.pulses[0].train.rate_hz = 1000.0;
  plan.pulses[0].train.num_bursts = 3;
  plan.pulses[0].train.burst_rate_hz = 10.0;
  const auto schedule = Admit(plan);
  ASSERT_TRUE(schedule.ok()) << schedule.status();
  std::vector<int64_t> ticks;
  for (const ScheduledPulse& pulse : schedule->currents().pulses) ticks.push_back(pulse.start_tick);
  EXPECT_THAT(ticks, testing::ElementsAre(40, 80, 4040, 4080, 8040, 8080));
}

TEST(PulseScheduleTest, TheRecoveryTakesUpTheCharge) {
  PulsePlan plan;
  plan.pulses.push_back(Pulses({10}, 6.0));
  plan.pulses[0].recovery_width_us = 800.0;
  plan.pulses.push_back(Pulses({11}, 6.0));
  plan.pulses[1].recovery_amplitude_ua = 1.5;
  plan.pulses.push_back(Pulses({12}, 6.0));
  plan.pulses[2].recovery_amplitude_ua = 12.0;
  plan.pulses[2].recovery_width_us = 100.0;
  const auto schedule = Admit(plan);
  ASSERT_TRUE(schedule.ok()) << schedule.status();
  const auto& track = schedule->currents();
  for (const size_t i : {0, 1}) {
    EXPECT_EQ(track.entries[i].phases.recovery_ticks, 32);
    EXPECT_EQ(track.pulses[i].level.recovery_ua, 1.5);
  }
  EXPECT_EQ(track.entries[2].phases.recovery_ticks, 4);
  EXPECT_EQ(track.pulses[2].level.recovery_ua, 12.0);
}

TEST(PulseScheduleTest, ChargeIsCountedPerElectrode) {
  PulsePlan plan;
  plan.pulses.push_back(Pulses({10, 11}, 10.0));
  plan.pulses[0].train.num_pulses = 3;
  plan.pulses[0].train.rate_hz = 100.0;
  plan.pulses.push_back(Pulses({11}, 4.0, 1e6));
  plan.pulses[1].shape = PulseShape::kMonophasic;
  plan.pulses[1].cathodic_first = false;
  const auto schedule = Admit(plan);
  ASSERT_TRUE(schedule.ok()) << schedule.status();
  const std::vector<ElectrodeCharge> charges = schedule->Charges();
  ASSERT_EQ(charges.size(), 8u);
  EXPECT_EQ(charges[0].num_pulses, 3);
  EXPECT_EQ(charges[0].net_nc, 0.0);
  EXPECT_DOUBLE_EQ(charges[0].absolute_nc, 12.0);
  EXPECT_DOUBLE_EQ(charges[0].max_phase_nc, 2.0);
  EXPECT_EQ(charges[1].num_pulses, 4);
  EXPECT_DOUBLE_EQ(charges[1].net_nc, 0.8);
  EXPECT_DOUBLE_EQ(charges[1].absolute_nc, 12.8);
  EXPECT_EQ(charges[2].num_pulses, 0);
}

TEST(PulseScheduleTest, LightHasOnePhase) {
  PulsePlan plan;
  LightPulses& light = plan.light.emplace_back();
  light.fibers = {11};
  light.power_mw = 3.0;
  light.width_us = 50.0;
  light.train.num_pulses = 2;
  light.train.rate_hz = 10'000.0;
  const auto schedule = Admit(plan);
  ASSERT_TRUE(schedule.ok()) << schedule.status();
  std::mt19937_64 random(1);
  std::vector<double> of_fiber;
  for (const auto& row : Play(*schedule, schedule->light(), 2, 5, 8, random)) {
    of_fiber.push_back(row[1]);
  }
  EXPECT_THAT(of_fiber, testing::ElementsAre(3, 3, 0, 0, 3, 3, 0, 0));
}

TEST(PulseScheduleTest, ErrorsNameTheField) {
  const auto error = [](const auto& change) {
    PulsePlan plan;
    plan.pulses.assign(3, Pulses({10}, 1.0));
    plan.pulses[1].electrodes = {11};
    plan.pulses[2].electrodes = {12};
    LightPulses& light = plan.light.emplace_back();
    light.fibers = {10};
    change(plan);
    return Admit(std::move(plan)).status();
  };
  ASSERT_TRUE(error([](PulsePlan&) {}).ok());
  EXPECT_THAT(error([](PulsePlan& p) { p.pulses[2].width_us = 30.0; }),
              IsFieldError("pulses[2].width_us", "30", "a multiple of the tick, 25, not 0 (us)"));
  EXPECT_THAT(error([](PulsePlan& p) { p.pulses[2].width_us = 0.0; }),
              IsFieldError("pulses[2].width_us", "0", HasSubstr("not 0")));
  EXPECT_THAT(error([](PulsePlan& p) { p.pulses[1].gap_us = 10.0; }),
              IsFieldError("pulses[1].gap_us", "10", "a multiple of the tick, 25 (us)"));
  EXPECT_THAT(error([](PulsePlan& p) { p.pulses[0].train.start_us = 1e-3; }),
              IsFieldError("pulses[0].start_us", "0.001", HasSubstr("a multiple")));
  EXPECT_THAT(error([](PulsePlan& p) {
                p.pulses[0].electrodes = {11, 99};
              }),
              IsFieldError("pulses[0].electrodes[1]", "99", "one of the device's 8 electrodes"));
  EXPECT_THAT(error([](PulsePlan& p) { p.light[0].fibers = {3}; }),
              IsFieldError("light[0].fibers[0]", "3", "one of the device's 2 fibres"));
  EXPECT_THAT(error([](PulsePlan& p) { p.light[0].width_us = 12.5; }),
              IsFieldError("light[0].width_us", "12.5", HasSubstr("a multiple")));
  EXPECT_THAT(error([](PulsePlan& p) { p.pulses[1].recovery_amplitude_ua = 0.3; }),
              IsFieldError("pulses[1].recovery_amplitude_ua", "0.3", HasSubstr("whole ticks")));
  EXPECT_THAT(error([](PulsePlan& p) {
                p.pulses[1].recovery_width_us = 400.0;
                p.pulses[1].recovery_amplitude_ua = 0.4;
              }),
              IsFieldError("pulses[1].recovery_amplitude_ua", "0.4", HasSubstr("whole ticks")));
  EXPECT_THAT(
      error([](PulsePlan& p) {
        p.pulses[0].train.num_pulses = 950'000;
        p.pulses[0].train.rate_hz = 100.0;
        p.pulses[0].electrodes = Ids(11);
      }),
      IsFieldError("pulses[0].num_pulses", HasSubstr("each counted"), HasSubstr("at most")));
  EXPECT_THAT(PulseSchedule::Create({}, {}, {}, std::nan("")).status(),
              IsFieldError("dt_ms", "nan", "1e-4 .. 1 (ms)"));
}

TEST(PulseScheduleTest, PulsesThatMeetAreRefused) {
  PulsePlan plan;
  plan.pulses.push_back(Pulses({10, 11}, 1.0));
  plan.pulses.push_back(Pulses({12}, 1.0));
  plan.pulses.push_back(Pulses({11}, 1.0, 375.0));  // a tick too early
  EXPECT_THAT(Admit(plan).status(),
              IsFieldError("pulses[2].start_us",
                           "a pulse 375 us after the plan's start, within one of pulses[0] on the "
                           "same channel",
                           "pulses that do not meet"));
  plan.pulses[2].train.start_us = 400.0;
  EXPECT_TRUE(Admit(plan).ok());
  plan.pulses[1].train.num_pulses = 2;
  plan.pulses[1].train.rate_hz = 1e6 / 375.0;
  EXPECT_THAT(Admit(plan).status(), IsFieldError("pulses[1].rate_hz", testing::_, testing::_));
  plan.pulses[1].train.rate_hz = 1e6 / 400.0;
  EXPECT_TRUE(Admit(plan).ok());
  plan.pulses[1].train.num_bursts = 2;
  plan.pulses[1].train.burst_rate_hz = 1e6 / 750.0;
  EXPECT_THAT(Admit(plan).status(),
              IsFieldError("pulses[1].burst_rate_hz", testing::_, testing::_));
}

// Random plans whose numbers fit together.
class RandomPlan {
 public:
  RandomPlan(uint64_t seed, double tick_us) : random_(seed), tick_us_(tick_us) {}

  PulsePlan Make() {
    PulsePlan plan;
    std::vector<int32_t> ids = Ids(8);
    std::shuffle(ids.begin(), ids.end(), random_);
    // Each electrode belongs to one entry, so pulses meet only within a train.
    for (size_t first = 0; first < ids.size();) {
      const size_t last = std::min(ids.size(), first + 1 + Pick(3));
      ElectrodePulses entry;
      entry.electrodes.assign(ids.begin() + static_cast<std::ptrdiff_t>(first),
                              ids.begin() + static_cast<std::ptrdiff_t>(last));
      entry.width_us = Ticks(1, 20);
      entry.gap_us = Ticks(0, 5);
      if (Pick(2) == 0) entry.recovery_width_us = Ticks(1, 60);
      entry.amplitude_ua = std::pow(10.0, Uniform(-3.0, 2.5));
      entry.cathodic_first = Pick(2) == 0;
      entry.train.start_us = Ticks(0, 300);
      entry.train.num_pulses = 1 + static_cast<int64_t>(Pick(6));
      const double fastest = 1e6 / (tick_us_ * 90.0);
      if (entry.train.num_pulses > 1) {
        if (Pick(3) == 0) entry.last_amplitude_ua = std::pow(10.0, Uniform(-3.0, 2.5));
        entry.train.rate_hz = Uniform(fastest / 5.0, fastest);
      }
      if (entry.train.num_pulses > 2 && Pick(3) == 0) {
        entry.train.last_rate_hz = Uniform(fastest / 5.0, fastest);
      }
      entry.train.num_bursts = 1 + static_cast<int64_t>(Pick(2));
      if (entry.train.num_bursts > 1) entry.train.burst_rate_hz = fastest / 50.0;
      plan.pulses.push_back(std::move(entry));
      first = last;
    }
    return plan;
  }

  uint64_t Pick(uint64_t n) { return random_() % n; }
  double Uniform(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random_);
  }
  double Ticks(uint64_t low, uint64_t high) {
    return static_cast<double>(low + Pick(high - low + 1)) * tick_us_;
  }
  std::mt19937_64& random() { return random_; }

 private:
  std::mt19937_64 random_;
  double tick_us_;
};

// The rule of the header, written down once more.
double RuleUa(const ElectrodePulses& entry, double tick_us, int64_t tick) {
  const auto round = [](double x) { return static_cast<int64_t>(std::floor(x + 0.5)); };
  const int64_t width = round(entry.width_us / tick_us), gap = round(entry.gap_us / tick_us);
  const int64_t recovery = round(entry.recovery_width_us.value_or(entry.width_us) / tick_us);
  const auto n = static_cast<double>(entry.train.num_pulses);
  for (int64_t b = 0; b < entry.train.num_bursts; ++b) {
    double sweep = 0.0;
    for (int64_t k = 0; k < entry.train.num_pulses; ++k) {
      const auto at = static_cast<double>(k);
      // The first ones begin at 0, whether there is a rate or not.
      const auto rate_of = [](double rate_hz) { return rate_hz == 0.0 ? 1.0 : rate_hz; };
      const double rate = rate_of(entry.train.rate_hz);
      const double offset =
          entry.train.last_rate_hz.has_value() ? sweep : at * 1e6 / (rate * tick_us);
      const double part = n > 2.0 ? at / (n - 2.0) : 0.0;
      sweep += 1e6 / ((rate + (entry.train.last_rate_hz.value_or(rate) - rate) * part) * tick_us);
      const int64_t since =
          tick - round(entry.train.start_us / tick_us) -
          round(static_cast<double>(b) * 1e6 / (rate_of(entry.train.burst_rate_hz) * tick_us)) -
          round(offset);
      if (since < 0 || since >= width + gap + recovery) continue;
      const double last = entry.last_amplitude_ua.value_or(entry.amplitude_ua);
      const double amplitude =
          n == 1.0 ? entry.amplitude_ua
                   : entry.amplitude_ua + (last - entry.amplitude_ua) * (at / (n - 1.0));
      const double first = entry.cathodic_first ? -amplitude : amplitude;
      if (since < width) return first;
      if (since < width + gap) return 0.0;
      return -first * static_cast<double>(width) / static_cast<double>(recovery);
    }
  }
  return 0.0;
}

TEST(PulseSchedulePropertyTest, CurrentsFollowTheRuleAndLeaveNoChargeBehind) {
  int num_admitted = 0;
  for (int i = 0; i < 300; ++i) {
    const double dt_ms = i % 2 == 0 ? 0.025 : 0.0125;
    RandomPlan maker(static_cast<uint64_t>(i), dt_ms * 1e3);
    const PulsePlan plan = maker.Make();
    const auto schedule = Admit(plan, dt_ms);
    if (!schedule.ok()) {  // a train and the burst after it meet
      ASSERT_THAT(schedule.status(),
                  IsFieldError(HasSubstr("rate_hz"), testing::_, "pulses that do not meet"));
      continue;
    }
    ++num_admitted;
    // Anywhere within some hours.
    const auto origin = static_cast<int64_t>(maker.Pick(1'000'000'000));
    const auto currents = Play(*schedule, schedule->currents(), 8, origin,
                               schedule->currents().num_ticks + 3, maker.random());
    std::vector<__float128> net(8, 0), absolute(8, 0);
    for (size_t tick = 0; tick < currents.size(); ++tick) {
      for (const ElectrodePulses& entry : plan.pulses) {
        const double rule_ua = RuleUa(entry, dt_ms * 1e3, static_cast<int64_t>(tick));
        for (const int32_t id : entry.electrodes) {
          const double current_ua = currents[tick][static_cast<size_t>(id - 10)];
          ASSERT_NEAR(current_ua, rule_ua, 1e-12 * std::fabs(rule_ua)) << "tick " << tick;
          net[static_cast<size_t>(id - 10)] += current_ua;
          absolute[static_cast<size_t>(id - 10)] += std::fabs(current_ua);
        }
      }
    }
    const std::vector<ElectrodeCharge> charges = schedule->Charges();
    for (size_t e = 0; e < 8; ++e) {
      ASSERT_TRUE(net[e] == 0) << "plan " << i << ", electrode " << e;
      ASSERT_EQ(charges[e].net_nc, 0.0);
      const double absolute_nc = static_cast<double>(absolute[e]) * dt_ms;  // uA ms = nC
      ASSERT_NEAR(charges[e].absolute_nc, absolute_nc, 1e-12 * absolute_nc);
    }
  }
  EXPECT_GT(num_admitted, 150);
}

// Any number: of the right order, too large, none.
double AnyNumber(std::mt19937_64& random, double usual) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double odd[] = {0.0,          -usual, 1e300, -1e300, kInfinity, -kInfinity,
                        std::nan(""), 5e-324, 1e-9,  1e9,    1e18};
  return random() % 12 == 0 ? odd[random() % std::size(odd)] : usual;
}

TEST(PulseSchedulePropertyTest, AnyPlanIsRefusedWithItsFieldOrFinite) {
  std::mt19937_64 random(11);
  const auto pick = [&](uint64_t n) { return random() % n; };
  int num_admitted = 0;
  const int num_draws = NumDraws("LIVND_PLAN_DRAWS", 10'000);
  for (int i = 0; i < num_draws; ++i) {
    PulsePlan plan;
    plan.pulses.resize(pick(4));
    for (ElectrodePulses& entry : plan.pulses) {
      entry.electrodes = Ids(static_cast<int>(pick(20) == 0 ? pick(12) : 1 + pick(4)));
      if (pick(30) == 0) entry.electrodes.push_back(static_cast<int32_t>(random()));
      entry.train.start_us = AnyNumber(random, 25.0 * static_cast<double>(pick(100'000)));
      entry.train.num_pulses = pick(20) == 0 ? static_cast<int64_t>(random()) : 1 + pick(5);
      // Seldom where nothing uses it.
      const auto is_used = [&](bool used) { return used || pick(20) == 0; };
      const int64_t num_pulses = entry.train.num_pulses;
      if (is_used(num_pulses > 1)) {
        entry.train.rate_hz = AnyNumber(random, 1.0 + static_cast<double>(pick(300)));
      }
      if (is_used(num_pulses > 2) && pick(4) == 0) {
        entry.train.last_rate_hz = AnyNumber(random, 50.0);
      }
      entry.train.num_bursts = pick(20) == 0 ? static_cast<int64_t>(random()) : 1 + pick(3);
      if (is_used(entry.train.num_bursts > 1)) entry.train.burst_rate_hz = AnyNumber(random, 0.1);
      entry.shape = pick(3) == 0 ? PulseShape::kMonophasic : PulseShape::kBiphasic;
      entry.amplitude_ua = AnyNumber(random, 10.0);
      if (is_used(num_pulses > 1) && pick(4) == 0) {
        entry.last_amplitude_ua = AnyNumber(random, 20.0);
      }
      entry.width_us = AnyNumber(random, 25.0 * static_cast<double>(pick(20)));
      entry.gap_us = AnyNumber(random, 25.0 * static_cast<double>(pick(3)));
      if (pick(4) == 0) entry.recovery_width_us = AnyNumber(random, 400.0);
      if (pick(8) == 0) entry.recovery_amplitude_ua = AnyNumber(random, 5.0);
    }
    plan.light.resize(pick(3));
    for (LightPulses& entry : plan.light) {
      entry.fibers = Ids(static_cast<int>(1 + pick(2)));
      entry.train.start_us = AnyNumber(random, 25.0 * static_cast<double>(pick(100'000)));
      entry.power_mw = AnyNumber(random, 5.0);
      if (pick(2) == 0) {
        entry.train.num_pulses = 2;
        entry.train.rate_hz = AnyNumber(random, 10.0);
      }
      if ((entry.train.num_pulses > 1 || pick(20) == 0) && pick(4) == 0) {
        entry.last_power_mw = AnyNumber(random, 1.0);
      }
      entry.width_us = AnyNumber(random, 5000.0);
    }
    const auto schedule = Admit(plan, AnyNumber(random, kDtMs));
    if (!schedule.ok()) {
      const auto error = FieldErrorOf(schedule.status());
      ASSERT_TRUE(error.has_value()) << schedule.status();
      ASSERT_FALSE(error->field.empty()) << schedule.status();
      continue;
    }
    ++num_admitted;
    std::vector<sim::Waveform> waveforms;
    for (const PulseTrack* track : {&schedule->currents(), &schedule->light()}) {
      schedule->AppendWaveforms(*track, 1000, 1000, 1000 + track->num_ticks, &waveforms);
      ASSERT_GE(track->num_ticks, 0);
    }
    for (const sim::Waveform& w : waveforms) {
      ASSERT_GE(sim::TicksOfSample(w.sample_dt_ms, schedule->dt_ms()), 1);
      for (const double x : w.samples) ASSERT_TRUE(std::isfinite(x));
    }
    for (const ElectrodeCharge& charge : schedule->Charges()) {
      ASSERT_TRUE(std::isfinite(charge.absolute_nc) && std::isfinite(charge.net_nc));
    }
  }
  EXPECT_GT(num_admitted, 500);
}

}  // namespace
}  // namespace livnd::io
