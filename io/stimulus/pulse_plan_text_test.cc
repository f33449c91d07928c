#include "io/stimulus/pulse_plan_text.h"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/testing/num_draws.h"

namespace livnd::io {
namespace {

using testing::_;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kPlan[] = R"(
pulses:
- electrodes: [12, 34]   # of the array
  amplitude_ua: 10
  width_us: 200
  gap_us: 50
  recovery_width_us: 400
  start_us: 1e5
  num_pulses: 5
  rate_hz: 20
  last_rate_hz: 40
  last_amplitude_ua: 20
  num_bursts: 3
  burst_rate_hz: 0.5
- {electrodes: [21], amplitude_ua: 4, shape: monophasic, cathodic_first: false}
light:
- fibers: [0]
  power_mw: 5
  width_us: 5000
)";

TEST(PulsePlanTextTest, ReadsEveryField) {
  const auto plan = ParsePulsePlanText("plan", kPlan);
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->pulses.size(), 2u);
  const ElectrodePulses& first = plan->pulses[0];
  EXPECT_THAT(first.electrodes, ElementsAre(12, 34));
  EXPECT_EQ(first.amplitude_ua, 10.0);
  EXPECT_EQ(first.last_amplitude_ua, 20.0);
  EXPECT_EQ(first.width_us, 200.0);
  EXPECT_EQ(first.gap_us, 50.0);
  EXPECT_EQ(first.recovery_width_us, 400.0);
  EXPECT_EQ(first.recovery_amplitude_ua, std::nullopt);
  EXPECT_EQ(first.train.start_us, 1e5);
  EXPECT_EQ(first.train.num_pulses, 5);
  EXPECT_EQ(first.train.rate_hz, 20.0);
  EXPECT_EQ(first.train.last_rate_hz, 40.0);
  EXPECT_EQ(first.train.num_bursts, 3);
  EXPECT_EQ(first.train.burst_rate_hz, 0.5);
  EXPECT_EQ(first.shape, PulseShape::kBiphasic);
  EXPECT_TRUE(first.cathodic_first);
  EXPECT_EQ(plan->pulses[1].shape, PulseShape::kMonophasic);
  EXPECT_FALSE(plan->pulses[1].cathodic_first);
  ASSERT_EQ(plan->light.size(), 1u);
  EXPECT_EQ(plan->light[0].power_mw, 5.0);
  EXPECT_EQ(plan->light[0].width_us, 5000.0);
}

TEST(PulsePlanTextTest, WrittenAndReadAgainItIsTheSame) {
  const auto plan = ParsePulsePlanText("plan", kPlan);
  ASSERT_TRUE(plan.ok()) << plan.status();
  const Json json = PulsePlanToJson(*plan);
  const auto again = ParsePulsePlanText("plan", json.dump());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(PulsePlanToJson(*again), json);
  EXPECT_EQ(json["pulses"][0]["last_rate_hz"], 40.0);
}

absl::Status ErrorOf(const std::string& from, const std::string& to) {
  std::string text = kPlan;
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
  return ParsePulsePlanText("plan", text).status();
}

TEST(PulsePlanTextTest, ErrorsNameThePlaceAndWhatItTakes) {
  EXPECT_THAT(ErrorOf("width_us: 200", "width_us: -3"),
              IsFileError("plan", "pulses[0].width_us", "-3", "0 .. 1e+06 (us)"));
  EXPECT_THAT(ErrorOf("width_us: 200", "width_us: .nan"),
              IsFileError("plan", "pulses[0].width_us", _, "a finite number"));
  EXPECT_THAT(ErrorOf("width_us: 200", "width_ms: 0.2"),
              IsFileError("plan", "pulses[0].width_ms", "an unknown name", HasSubstr("width_us")));
  EXPECT_THAT(ErrorOf("  amplitude_ua: 10\n", ""),
              IsFileError("plan", HasSubstr("pulses[0]"), _, _));
  EXPECT_THAT(ErrorOf("electrodes: [12, 34]", "electrodes: [12, 12]"),
              IsFileError("plan", "pulses[0].electrodes[1]", "12 for the second time", _));
  EXPECT_THAT(ErrorOf("electrodes: [12, 34]", "electrodes: []"),
              IsFileError("plan", "pulses[0].electrodes", "0 ids", "1 to 65536"));
  EXPECT_THAT(ErrorOf("monophasic", "triphasic"),
              IsFileError("plan", "pulses[1].shape", _, "biphasic, monophasic"));
  EXPECT_THAT(ErrorOf("shape: monophasic", "shape: monophasic, gap_us: 50"),
              IsFileError("plan", "pulses[1].gap_us", "50", "none for a pulse of one phase"));
  EXPECT_THAT(ErrorOf("amplitude_ua: 4", "amplitude_ua: -4"),
              IsFileError("plan", "pulses[1].amplitude_ua", "-4", HasSubstr("cathodic_first")));
  EXPECT_THAT(ErrorOf("num_pulses: 5", "num_pulses: 0"),
              IsFileError("plan", "pulses[0].num_pulses", "0", _));
  EXPECT_THAT(ErrorOf("  rate_hz: 20\n", ""),
              IsFileError("plan", "pulses[0].rate_hz", "0", HasSubstr("Hz")));
  EXPECT_THAT(ErrorOf("burst_rate_hz: 0.5", "burst_rate_hz: 1e-9"),
              IsFileError("plan", "pulses[0].burst_rate_hz", "1e-09", _));
  EXPECT_THAT(ErrorOf("power_mw: 5", "power_mw: 1e9"),
              IsFileError("plan", "light[0].power_mw", "1e+09", "0 .. 10000 (mW)"));
  EXPECT_THAT(ErrorOf("num_bursts: 3", "num_bursts: 1000000"), IsFileError("plan", _, _, _));
  EXPECT_THAT(ParsePulsePlanText("plan", "[1]").status(), IsFileError("plan", _, _, _));
  EXPECT_THAT(ParsePulsePlanText("plan", "pulses: 3").status(),
              IsFileError("plan", "pulses", "3", _));
}

// What nothing uses is a mistake: a train without its number of pulses would be one pulse.
TEST(PulsePlanTextTest, WhatAnEntryHasNoUseForIsRefused) {
  const auto error = [](const std::string& entry) {
    return ParsePulsePlanText(
               "plan", absl::StrCat("pulses:\n- {electrodes: [1], amplitude_ua: 1, ", entry, "}\n"))
        .status();
  };
  EXPECT_THAT(error("rate_hz: 20"),
              IsFileError("plan", "pulses[0].rate_hz", "20", "none where num_pulses is 1"));
  EXPECT_THAT(error("num_pulses: 1, num_bursts: 2, burst_rate_hz: 1, rate_hz: 20"),
              IsFileError("plan", "pulses[0].rate_hz", "20", "none where num_pulses is 1"));
  EXPECT_THAT(error("last_rate_hz: 30"), IsFileError("plan", "pulses[0].last_rate_hz", "30",
                                                     "none where num_pulses is less than 3"));
  // Two pulses have one interval, and that has rate_hz.
  EXPECT_THAT(
      error("num_pulses: 2, rate_hz: 20, last_rate_hz: 30"),
      IsFileError("plan", "pulses[0].last_rate_hz", "30", "none where num_pulses is less than 3"));
  EXPECT_THAT(error("num_pulses: 2, rate_hz: 20, burst_rate_hz: 1"),
              IsFileError("plan", "pulses[0].burst_rate_hz", "1", "none where num_bursts is 1"));
  EXPECT_THAT(error("last_amplitude_ua: 2"), IsFileError("plan", "pulses[0].last_amplitude_ua", "2",
                                                         "none where num_pulses is 1"));
  // Of a train, and not of bursts.
  EXPECT_THAT(
      error("num_bursts: 2, burst_rate_hz: 1, last_amplitude_ua: 2"),
      IsFileError("plan", "pulses[0].last_amplitude_ua", "2", "none where num_pulses is 1"));
  const auto light = [](const std::string& entry) {
    return ParsePulsePlanText("plan",
                              absl::StrCat("light:\n- {fibers: [1], power_mw: 1, ", entry, "}\n"))
        .status();
  };
  EXPECT_THAT(light("last_power_mw: 2"),
              IsFileError("plan", "light[0].last_power_mw", "2", "none where num_pulses is 1"));
  EXPECT_THAT(light("rate_hz: 20"),
              IsFileError("plan", "light[0].rate_hz", "20", "none where num_pulses is 1"));
  for (const std::string fits :
       {"rate_hz: 0", "burst_rate_hz: 0", "num_pulses: 3, rate_hz: 20, last_rate_hz: 30",
        "num_pulses: 2, rate_hz: 20, last_amplitude_ua: 2"}) {
    EXPECT_TRUE(error(fits).ok()) << fits << ": " << error(fits);
  }
}

TEST(PulsePlanTextTest, ManyPulsesAreRefusedBeforeTheyAreMade) {
  std::string text = "pulses:\n";
  for (int i = 0; i < 3; ++i) {
    absl::StrAppend(&text, "- {electrodes: [", i,
                    "], amplitude_ua: 1, num_pulses: 400000, rate_hz: 100}\n");
  }
  EXPECT_THAT(ParsePulsePlanText("plan", text).status(),
              IsFileError("plan", "pulses[2].num_pulses", HasSubstr("1200000"),
                          "at most 1000000 of pulses"));
}

// Nothing that may stand in a text makes a plan that does not hold, or ends the program.
TEST(PulsePlanTextTest, AnyTextIsRefusedOrValid) {
  const std::vector<std::string> pieces = {"-3",
                                           "1e300",
                                           ".nan",
                                           ".inf",
                                           "null",
                                           "[]",
                                           "{}",
                                           "[1, [2]]",
                                           "'x'",
                                           "\n",
                                           "- ",
                                           ": ",
                                           "pulses:",
                                           "&a",
                                           "*a",
                                           "!!int",
                                           "\t",
                                           "\"",
                                           "{",
                                           "}",
                                           "[",
                                           "]",
                                           ",",
                                           "#",
                                           "---\n",
                                           "? ",
                                           "999999999999999999999",
                                           "0x10",
                                           "true",
                                           "|\n",
                                           std::string(1, '\0'),
                                           "\xff"};
  std::mt19937_64 random(5);
  int num_valid = 0;
  const int num_draws = NumDraws("LIVND_PLAN_DRAWS", 10'000);
  for (int i = 0; i < num_draws; ++i) {
    std::string text = kPlan;
    for (uint64_t k = 0, n = 1 + random() % 3; k < n; ++k) {
      const size_t at = random() % text.size();
      const size_t length = std::min<size_t>(random() % 12, text.size() - at);
      text.replace(at, length, random() % 4 == 0 ? "" : pieces[random() % pieces.size()]);
    }
    const auto plan = ParsePulsePlanText("plan", text);
    if (plan.ok()) {
      ++num_valid;
      ASSERT_TRUE(plan->Validate().ok()) << text;
    } else {
      ASSERT_TRUE(FieldErrorOf(plan.status()).has_value()) << plan.status() << "\n" << text;
    }
  }
  EXPECT_GT(num_valid, 100);
  EXPECT_LT(num_valid, num_draws / 10 * 9);
}

}  // namespace
}  // namespace livnd::io
