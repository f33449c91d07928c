#include "io/encoding/biphasic_pulse.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/field_error.h"
#include "gtest/gtest.h"
#include "sim/stimulus/stimulus.h"
#include "sim/stimulus/timeline.h"

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

// What an electrode's current is, tick by tick, as the simulation follows it.
class Electrode {
 public:
  explicit Electrode(double dt_ms)
      : timeline_(sim::SampleRule{sim::SampleRule::Kind::kHeld, dt_ms}) {}

  void Install(const sim::Waveform& waveform, int64_t now) {
    timeline_.Install(std::make_shared<const sim::Waveform>(waveform), now);
    reader_.Reset(waveform.num_channels);
  }
  double At(int64_t tick) {
    reader_.GoTo(timeline_, tick);
    return reader_.value(0);
  }

 private:
  sim::StimulusTimeline timeline_;
  sim::TimelineReader reader_;
};

TEST(BiphasicPulseTest, PhasesHaveTheSameTicksAtEveryOnset) {
  for (const double dt_ms : {0.025, 0.0125, 0.1}) {
    const auto pulse = BiphasicPulse::Create({200.0, 10.0}, 1, dt_ms);
    ASSERT_TRUE(pulse.ok()) << pulse.status();
    const int64_t phase = pulse->phase_ticks();
    ASSERT_EQ(phase, std::llround(0.2 / dt_ms));
    Electrode electrode(dt_ms);
    sim::Waveform w;
    // Onsets of every remainder, over some hours.
    int64_t onset = 0;
    for (int i = 0; i < 100'000; ++i, onset += 2 * phase + 2 + i % 997) {
      pulse->Encode({0.5f}, onset, &w);
      electrode.Install(w, onset);
      int64_t cathodic = 0, anodic = 0;
      double net = 0.0;
      for (int64_t tick = onset - 1; tick < onset + 2 * phase + 1; ++tick) {
        const double current_ua = electrode.At(tick);
        net += current_ua;
        cathodic += current_ua == -5.0 ? 1 : 0;
        anodic += current_ua == 5.0 ? 1 : 0;
        ASSERT_EQ(current_ua != 0.0, tick >= onset && tick < onset + 2 * phase) << "tick " << tick;
      }
      ASSERT_EQ(cathodic, phase) << "onset " << onset;
      ASSERT_EQ(anodic, phase) << "onset " << onset;
      ASSERT_EQ(net, 0.0) << "onset " << onset;
    }
  }
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
