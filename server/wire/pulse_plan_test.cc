#include "server/wire/pulse_plan.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "io/json/json_file.h"
#include "io/stimulus/pulse_plan_text.h"
#include "server/wire/errors.h"
#include "server/wire/tensor.h"

namespace livnd::server {
namespace {

// Every field that an entry has, and one with all defaults.
constexpr char kPlan[] = R"(
pulses:
- {electrodes: [12, 34], amplitude_ua: 10, last_amplitude_ua: 20, width_us: 200, gap_us: 50, recovery_width_us: 400,
   start_us: 1e5, num_pulses: 5, rate_hz: 20, last_rate_hz: 40, num_bursts: 3, burst_rate_hz: 0.5}
- {electrodes: [21], amplitude_ua: 4, recovery_amplitude_ua: 2}
- {electrodes: [5], amplitude_ua: 4, shape: monophasic, cathodic_first: false}
light:
- {fibers: [0, 3], power_mw: 5, last_power_mw: 6, width_us: 5000, start_us: 200, num_pulses: 4, rate_hz: 10,
   last_rate_hz: 20, num_bursts: 2, burst_rate_hz: 0.1}
)";

TEST(PulsePlanTest, IsTheSameThereAndBack) {
  const auto plan = io::ParsePulsePlanText("plan", kPlan);
  ASSERT_TRUE(plan.ok()) << plan.status();
  v1::PulsePlan message;
  EncodePulsePlan(*plan, &message);
  const auto parsed = ParsePulsePlan("pulse_plan", message);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(io::PulsePlanToJson(*parsed).dump(), io::PulsePlanToJson(*plan).dump());
}

TEST(PulsePlanTest, WhatIsLeftOutHasTheDefaultsOfText) {
  v1::PulsePlan message;
  message.add_pulses()->add_electrodes(3);
  message.mutable_pulses(0)->set_amplitude_ua(5);
  const auto parsed = ParsePulsePlan("pulse_plan", message);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const auto text = io::ParsePulsePlanText("plan", "pulses: [{electrodes: [3], amplitude_ua: 5}]");
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(io::PulsePlanToJson(*parsed).dump(), io::PulsePlanToJson(*text).dump());
}

TEST(PulsePlanTest, BadOnesNameTheirField) {
  v1::PulsePlan message;
  message.add_pulses()->set_amplitude_ua(1);
  message.add_pulses();
  const auto field_of = [&] {
    const absl::Status status = ParsePulsePlan("pulse_plan", message).status();
    EXPECT_EQ(ReasonOf(status), reason::kInvalidField) << status;
    return MetadataOf(status, "field");
  };
  EXPECT_EQ(field_of(), "pulse_plan.pulses[1].amplitude_ua");
  message.mutable_pulses(1)->set_amplitude_ua(0);
  message.mutable_pulses(1)->set_shape(static_cast<v1::PulseShape>(9));
  EXPECT_EQ(field_of(), "pulse_plan.pulses[1].shape");
  message.clear_pulses();
  message.add_light()->add_fibers(0);
  EXPECT_EQ(field_of(), "pulse_plan.light[0].power_mw");
}

// However many pulses are asked for, no more are made than a plan may have.
TEST(PulsePlanTest, MemoryFollowsThePulsesThatThereMayBe) {
  v1::PulsePlan message;
  message.add_pulses()->set_num_pulses(1000);
  const int64_t some = BytesOfPlan(message);
  EXPECT_GT(some, 1000 * int64_t{sizeof(io::ScheduledPulse)});
  message.mutable_pulses(0)->set_num_bursts(int64_t{1} << 62);
  const int64_t most = BytesOfPlan(message);
  EXPECT_GT(most, some);
  EXPECT_LT(most, 200 * io::PulsePlan::kMaxPulses);
}

TEST(PulsePlanTest, ChargesAreOfEachElectrode) {
  io::ElectrodeArrayConfig array;
  array.electrodes = {{7, {}}, {3, {}}};
  v1::ElectrodeCharges message;
  EncodeCharges({{2, 0.0, 8.0, 2.0}, {1, -1.0, 1.0, 1.0}}, array, &message);
  EXPECT_EQ(Values<int64_t>(message.electrodes()), (std::vector<int64_t>{7, 3}));
  EXPECT_EQ(Values<int64_t>(message.num_pulses()), (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(Values<double>(message.net_nc()), (std::vector<double>{0.0, -1.0}));
  EXPECT_EQ(Values<double>(message.absolute_nc()), (std::vector<double>{8.0, 1.0}));
  EXPECT_EQ(Values<double>(message.max_phase_nc()), (std::vector<double>{2.0, 1.0}));
}

}  // namespace
}  // namespace livnd::server
