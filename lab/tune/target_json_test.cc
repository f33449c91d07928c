#include "lab/tune/target_json.h"

#include <string>

#include "absl/strings/str_replace.h"
#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/json/yaml.h"

namespace livnd::lab {
namespace {

using testing::HasSubstr;

constexpr char kSmall[] = R"(
name: small
space:
  reference: [0.05, 100, log10]
  ratio: [0.01, 1000, log10]
  noise: {g_e0: [0.0002, 0.02, log10]}
objectives:
  mfr: {target: 1, cost: log_square}
  variation: {feature: isi_cv, target: 1.2}
constraints:
  fast: {feature: max_neuron_firing_rate, max: 50}
  calm: {feature: burst_rate, band: [0, 0.2]}
  both: {all: [fast, calm]}
)";

absl::StatusOr<Target> Parse(const std::string& text) {
  static io::Json json;
  json = io::ParseYaml("t.yml", text).value();
  return ParseTarget(io::JsonView(json, "t.yml"));
}

absl::Status Fault(absl::string_view from, absl::string_view to) {
  const std::string text = absl::StrReplaceAll(kSmall, {{from, to}});
  EXPECT_NE(text, kSmall) << from;
  return Parse(text).status();
}

TEST(ParseTarget, ReadsWhatIsThere) {
  const Target target = Parse(kSmall).value();
  EXPECT_EQ(target.name, "small");
  EXPECT_FALSE(target.livn_metrics);
  EXPECT_FALSE(target.by_electrode);
  EXPECT_EQ(target.duration_ms, 30'000.0);
  EXPECT_EQ(target.seed, 123u);
  EXPECT_EQ(target.space.reference->scale, Scale::kLog10);
  EXPECT_EQ(target.space.reference->high, 100.0);
  ASSERT_EQ(target.objectives.size(), 2u);
  EXPECT_EQ(target.objectives[0].cost, Cost::kLogSquare);
  EXPECT_EQ(target.objectives[1].feature, static_cast<size_t>(FindFeature("isi_cv")));
  ASSERT_EQ(target.constraints.size(), 3u);
  EXPECT_EQ(target.constraints[0].scale, 50.0);
  EXPECT_EQ(target.constraints[2].all_of, (std::vector<size_t>{0, 1}));
}

TEST(ParseTarget, SaysWhatIsWrongByFileKeyValueAndWhatIsTaken) {
  EXPECT_THAT(Fault("ratio:", "ration:"),
              IsFileError("t.yml", "space.ration", kUnknownName, HasSubstr("ratio (the nearest)")));
  EXPECT_THAT(Fault("[0.05, 100, log10]", "[0, 100, log10]"),
              IsFileError("t.yml", "space.reference", testing::_, HasSubstr("low > 0")));
  EXPECT_THAT(Fault("[0.05, 100, log10]", "[100, 0.05]"),
              IsFileError("t.yml", "space.reference", testing::_, HasSubstr("low < high")));
  EXPECT_THAT(
      Fault("log10]\n  ratio", "log]\n  ratio"),
      IsFileError("t.yml", "space.reference[2]", HasSubstr("log"), "identity, log10, log1p"));
  EXPECT_THAT(Fault("feature: isi_cv", "feature: isi_vc"),
              IsFileError("t.yml", "objectives.variation.feature", HasSubstr("isi_vc"),
                          HasSubstr("isi_cv (the nearest)")));
  EXPECT_THAT(Fault("  ratio:", "  adaptation: 1\n  ratio:"),
              IsFileError("t.yml", "space.adaptation", "1", testing::_));
  EXPECT_THAT(
      Fault("max: 50", "max: 50, min: 1"),
      IsFileError("t.yml", "constraints.fast", testing::_, HasSubstr("one of max, min, band")));
  EXPECT_THAT(Fault("[0, 0.2]", "[0.2, 0]"),
              IsFileError("t.yml", "constraints.calm.band", testing::_, HasSubstr("low < high")));
  EXPECT_THAT(Fault("[fast, calm]", "[fast, clam]"),
              IsFileError("t.yml", "constraints.both.all[1]", HasSubstr("clam"),
                          HasSubstr("calm (the nearest)")));
  EXPECT_THAT(Fault("  variation: {feature: isi_cv, target: 1.2}\n", ""),
              IsFileError("t.yml", "objectives", testing::_, "a map of 2 to 16 objectives"));
  EXPECT_THAT(Fault("name: small", "name: small\nduration_ms: 0.5"),
              IsFileError("t.yml", "duration_ms", "0.5", HasSubstr("100 .. 1e7")));
  EXPECT_THAT(Fault("name: small", "name: small\nreadout: cell"),
              IsFileError("t.yml", "readout", testing::_, HasSubstr("cells, electrodes")));
  EXPECT_THAT(Fault("g_e0:", "g_total:"),
              IsFileError("t.yml", "space.noise", testing::_, "g_total and g_ratio together"));
  EXPECT_THAT(Fault("  reference: [0.05, 100, log10]\n", ""),
              IsFileError("t.yml", "space", testing::_, HasSubstr("reference or ignition")));
  EXPECT_THAT(Fault("target: 1,", ""),
              IsFileError("t.yml", "objectives.mfr", testing::_, "a map with a target"));
}

constexpr char kStimulated[] = R"(
space:
  reference: [0.05, 100, log10]
  stimulation_gain: true
stimulus:
  amplitudes_ua: [8, 10, 16]
  repeats: 2
  electrode: 3
  measured: {probabilities: [0.1, 0.3, 0.6]}
objectives:
  mfr: {target: 1}
  threshold: {feature: threshold_miss, cost: value}
constraints:
  near: {feature: recruitment_miss, max: 3}
)";

absl::Status FaultOfStimulus(absl::string_view from, absl::string_view to) {
  const std::string text = absl::StrReplaceAll(kStimulated, {{from, to}});
  EXPECT_NE(text, kStimulated) << from;
  return Parse(text).status();
}

TEST(ParseStimulus, ReadsWhatIsThereAndHasLivnsDefaults) {
  const Target target = Parse(kStimulated).value();
  const StimulusConfig& stimulus = *target.stimulus;
  EXPECT_EQ(stimulus.amplitudes_ua, (std::vector<double>{8, 10, 16}));
  EXPECT_EQ(stimulus.repeats, 2);
  EXPECT_EQ(stimulus.electrode, 3);
  EXPECT_EQ(stimulus.trial_ms, 6000.0);
  EXPECT_EQ(stimulus.onset_ms, 1000.0);
  EXPECT_EQ(stimulus.pre_ms, 1000.0);
  EXPECT_EQ(stimulus.post_ms, 500.0);
  EXPECT_EQ(stimulus.recovery_ms, 3500.0);
  EXPECT_TRUE(stimulus.gate);
  EXPECT_EQ(PulseMs(stimulus.pulse), 0.2);
  EXPECT_EQ(PeakUa(stimulus), 16.0);
  EXPECT_EQ(stimulus.measured->below_ua, 10.0);
  EXPECT_EQ(stimulus.measured->above_ua, 16.0);
  EXPECT_NEAR(target.space.stimulation_gain->low, 0.53355, 1e-5);
  EXPECT_NEAR(target.space.stimulation_gain->high, 53.355, 1e-3);
  EXPECT_EQ(target.num_features(), kFeatures.size());
}

TEST(ParseStimulus, KeepsTheGainWithinWhatIsSimulated) {
  const auto high = [](const char* to) {
    return Parse(absl::StrReplaceAll(kStimulated, {{"repeats: 2", to}}))
        .value()
        .space.stimulation_gain->high;
  };
  EXPECT_NEAR(high("repeats: 2"), 53.355, 1e-3);
  // Charge that flows back in a quarter of the time, at 64 uA.
  EXPECT_NEAR(high("recovery_width_us: 25"), 1000.0 / 64.0, 1e-4);
  EXPECT_THAT(FaultOfStimulus("[8, 10, 16]", "[8, 10, 2000]"),
              IsFileError("t.yml", "space.stimulation_gain", "true", HasSubstr("2000 uA make")));
}

TEST(ParseStimulus, SaysWhatIsWrong) {
  const struct {
    const char* from;
    const char* to;
    const char* field;
    const char* accepted;
  } kCases[] = {
      {"repeats:", "repaets:", "stimulus.repaets", "repeats (the nearest)"},
      {"  amplitudes_ua: [8, 10, 16]\n", "", "stimulus.amplitudes_ua", ""},
      {"[8, 10, 16]", "[8]", "stimulus.amplitudes_ua", "2 to 256 amplitudes"},
      {"[8, 10, 16]", "[0, 10, 16]", "stimulus.amplitudes_ua", "each above 0"},
      {"[8, 10, 16]", "[8, 8, 16]", "stimulus.amplitudes_ua", "above the one before it"},
      {"repeats: 2", "repeats: 0", "stimulus.repeats", ""},
      {"repeats: 2", "shape: square", "stimulus.shape", "biphasic, monophasic"},
      {"repeats: 2", "width_us: 0", "stimulus.width_us", "above 0"},
      {"repeats: 2", "shape: monophasic\n  gap_us: 50", "stimulus.gap_us", "one phase"},
      {"repeats: 2", "trial_ms: 6000.5", "stimulus.trial_ms", "whole ms"},
      {"repeats: 2", "trial_ms: 4000", "stimulus.trial_ms", "together, 5000"},
      {"repeats: 2", "onset_ms: 999", "stimulus.onset_ms", "pre_ms, 1000"},
      {"repeats: 2", "onset_ms: 5600", "stimulus.trial_ms", "6100"},
      {"repeats: 2", "recruited: 2", "stimulus.recruited", "0.001 .. 1"},
      {"repeats: 2", "gate: 1", "stimulus.gate", ""},
      {"electrode: 3", "electrode: first", "stimulus.electrode", ""},
      {"{probabilities: [0.1, 0.3, 0.6]}", "{}", "stimulus.measured", "below_ua and above_ua"},
      {"{probabilities: [0.1, 0.3, 0.6]}", "{below_ua: 8}", "stimulus.measured", "above_ua"},
      {"{probabilities: [0.1, 0.3, 0.6]}", "{below_ua: 8, above_ua: 8}",
       "stimulus.measured.above_ua", "more than below_ua, 8"},
      {"{probabilities: [0.1, 0.3, 0.6]}", "{censored: up}", "stimulus.measured.censored",
       "above, below"},
      {"{probabilities: [0.1, 0.3, 0.6]}", "{censored: above, below_ua: 8}",
       "stimulus.measured.below_ua", "absent beside censored"},
      {"{probabilities: [0.1, 0.3, 0.6]}", "{censored: above, above_ua: 8}",
       "stimulus.measured.above_ua", "absent beside censored: above"},
      {"{probabilities: [0.1, 0.3, 0.6]}", "{censored: below, highest_ua: 8}",
       "stimulus.measured.highest_ua", "absent unless"},
      {"[0.1, 0.3, 0.6]", "[0.1, 0.3]", "stimulus.measured.probabilities", "3 numbers"},
      {"[0.1, 0.3, 0.6]", "[0.1, 0.3, 1.6]", "stimulus.measured.probabilities", "0 .. 1"},
      {"  measured: {probabilities: [0.1, 0.3, 0.6]}\n", "", "objectives.threshold",
       "what was measured"},
      {"{probabilities: [0.1, 0.3, 0.6]}", "{below_ua: 8, above_ua: 10}", "constraints.near",
       "probabilities of some"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.to);
    EXPECT_THAT(FaultOfStimulus(c.from, c.to),
                IsFileError("t.yml", c.field, testing::_, HasSubstr(c.accepted)));
  }
  EXPECT_THAT(Fault("mfr: {target: 1, cost: log_square}", "stimulus_threshold: {target: 8}"),
              IsFileError("t.yml", "objectives.stimulus_threshold", testing::_,
                          HasSubstr("a target with one")));
  EXPECT_THAT(Fault("  ratio:", "  stimulation_gain: true\n  ratio:"),
              IsFileError("t.yml", "space.stimulation_gain", "true", HasSubstr("no stimulus")));
}

}  // namespace
}  // namespace livnd::lab
