#include "io/encoding/biphasic_pulse.h"

#include <limits>
#include <string>
#include <vector>

#include "base/field_error.h"
#include "gtest/gtest.h"

namespace livnd::io {
namespace {

constexpr double kDtMs = 0.025;

TEST(BiphasicPulseTest, CathodicFirstThenAsMuchAnodic) {
  const auto pulse = BiphasicPulse::Create({200.0, 10.0}, 2, kDtMs);
  ASSERT_TRUE(pulse.ok()) << pulse.status();
  EXPECT_EQ(pulse->phase_ticks(), 8);
  sim::Waveform w;
  pulse->Encode({0.5f, -1.0f}, 2000, &w);
  EXPECT_EQ(w.num_channels, 2);
  EXPECT_EQ(w.samples[0], -5.0);
  EXPECT_EQ(w.samples[1], 10.0);
  EXPECT_EQ(w.samples[w.samples.size() - 2], 5.0);
  EXPECT_EQ(w.samples[w.samples.size() - 1], -10.0);
}

TEST(BiphasicPulseTest, ChargeCountsBothPhases) {
  const auto pulse = BiphasicPulse::Create({200.0, 10.0}, 2, kDtMs);
  ASSERT_TRUE(pulse.ok()) << pulse.status();
  // 15 uA in all, 200 us a phase, two phases.
  EXPECT_DOUBLE_EQ(pulse->ChargeNc({0.5f, -1.0f}), 15.0 * 0.4);
}

TEST(BiphasicPulseTest, ConfigErrorsNameTheField) {
  const auto error_of = [](const BiphasicPulseConfig& config) {
    const auto error = FieldErrorOf(BiphasicPulse::Create(config, 1, kDtMs).status());
    return error.has_value() ? error->field + " = " + error->value : "no field";
  };
  EXPECT_EQ(error_of({0.0, 10.0}), "phase_us = 0");
  EXPECT_EQ(error_of({std::numeric_limits<double>::quiet_NaN(), 10.0}), "phase_us = nan");
  EXPECT_EQ(error_of({1e9, 10.0}), "phase_us = 1e+09");
  EXPECT_EQ(error_of({30.0, 10.0}), "phase_us = 30");  // 1.2 ticks
  EXPECT_EQ(error_of({200.0, -1.0}), "max_amplitude_ua = -1");
  EXPECT_EQ(error_of({200.0, std::numeric_limits<double>::infinity()}), "max_amplitude_ua = inf");
}

}  // namespace
}  // namespace livnd::io
