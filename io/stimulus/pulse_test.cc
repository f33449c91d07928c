#include "io/stimulus/pulse.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>

#include "gtest/gtest.h"

namespace livnd::io {
namespace {

// Exact: a double has 53 bits, a number of ticks 30 at most.
__float128 Charge(const PulsePhases& phases, const PulseCurrents& currents) {
  return static_cast<__float128>(phases.first_ticks) * currents.first_ua +
         static_cast<__float128>(phases.recovery_ticks) * currents.recovery_ua;
}

TEST(BalancedCurrentsTest, EqualPhasesKeepTheAmplitude) {
  const PulseCurrents currents = BalancedCurrents({8, 2, 8}, -0.1);
  EXPECT_EQ(currents.first_ua, -0.1);
  EXPECT_EQ(currents.recovery_ua, 0.1);
}

TEST(BalancedCurrentsTest, OnePhaseIsLeftAlone) {
  const PulseCurrents currents = BalancedCurrents({8, 0, 0}, 3.3);
  EXPECT_EQ(currents.first_ua, 3.3);
  EXPECT_EQ(currents.recovery_ua, 0.0);
}

TEST(BalancedCurrentsTest, ALongRecoveryIsWeak) {
  const PulseCurrents currents = BalancedCurrents({8, 0, 32}, -6.0);
  EXPECT_EQ(currents.first_ua, -6.0);
  EXPECT_EQ(currents.recovery_ua, 1.5);
}

TEST(BalancedCurrentsTest, ChargesCancelExactlyWhateverTheWidths) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> magnitude(-9.0, 4.0), longest(0.0, 7.0);
  for (int i = 0; i < 100'000; ++i) {
    const PulsePhases phases = {
        1 + static_cast<int64_t>(random() % static_cast<uint64_t>(std::pow(10.0, longest(random)))),
        3,
        1 + static_cast<int64_t>(random() %
                                 static_cast<uint64_t>(std::pow(10.0, longest(random))))};
    const double asked_ua = (i % 2 == 0 ? 1.0 : -1.0) * std::pow(10.0, magnitude(random));
    const PulseCurrents currents = BalancedCurrents(phases, asked_ua);
    ASSERT_TRUE(Charge(phases, currents) == 0)
        << phases.first_ticks << " " << phases.recovery_ticks << " " << asked_ua;
    const auto longer = static_cast<double>(std::max(phases.first_ticks, phases.recovery_ticks) /
                                            std::gcd(phases.first_ticks, phases.recovery_ticks));
    ASSERT_NEAR(currents.first_ua, asked_ua, std::fabs(asked_ua) * longer * 0x1p-51);
  }
}

TEST(WholeTicksTest, TakesAnyNumber) {
  EXPECT_EQ(WholeTicks(200.0, 25.0), 8);
  EXPECT_EQ(WholeTicks(200.0, 12.5), 16);
  EXPECT_EQ(WholeTicks(0.3 * 1e3, 0.05 * 1e3), 6);  // 5.999... in livn's division of milliseconds
  EXPECT_EQ(WholeTicks(0.0, 25.0), 0);
  EXPECT_EQ(WholeTicks(30.0, 25.0), -1);
  EXPECT_EQ(WholeTicks(-25.0, 25.0), -1);
  EXPECT_EQ(WholeTicks(1e300, 25.0), -1);
  EXPECT_EQ(WholeTicks(std::numeric_limits<double>::infinity(), 25.0), -1);
  EXPECT_EQ(WholeTicks(std::numeric_limits<double>::quiet_NaN(), 25.0), -1);
}

TEST(BeginWaveformTest, SaysWhereTheSamplesLie) {
  sim::Waveform waveform;
  waveform.channels = {4};
  double* samples = BeginWaveform(77, 8, 0.025, 3, 2, &waveform);
  samples[5] = 1.0;
  EXPECT_EQ(waveform.timing, sim::SampleTiming::kExactTicks);
  EXPECT_EQ(waveform.first_tick, 77);
  EXPECT_EQ(sim::TicksOfSample(waveform.sample_dt_ms, 0.025), 8);
  EXPECT_TRUE(waveform.channels.empty());
  EXPECT_EQ(waveform.num_samples(), 2);
  EXPECT_EQ(waveform.samples[5], 1.0);
}

TEST(ChargeNcTest, MicroampereTimesMicrosecond) {
  EXPECT_DOUBLE_EQ(ChargeNc(-10.0, 8, 25.0), -2.0);  // 10 uA for 200 us
}

}  // namespace
}  // namespace livnd::io
