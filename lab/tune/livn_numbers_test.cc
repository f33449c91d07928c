// Ours against what livn 2.0.0's own culture target computes (testing/measure_with_livn.py).
#include <cmath>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "io/culture/culture_setup.h"
#include "io/json/json_file.h"
#include "io/json/yaml.h"
#include "io/neuroh5/read_system.h"
#include "lab/tune/features.h"
#include "lab/tune/recruitment_miss.h"
#include "lab/tune/score.h"
#include "lab/tune/search_space.h"
#include "lab/tune/target_json.h"

namespace livnd::lab {
namespace {

using io::Json;

Json Livn() {
  return io::ReadJsonFile("lab/tune/testing/livn_culture.json", {16 << 20, 64, 65536}).value();
}

// A target's file, with more lines at its end.
Target TargetOf(const std::string& path, const std::string& more = "") {
  std::ifstream file(path);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!more.empty())
    text = absl::StrReplaceAll(text, {{"space:\n", "space:\n  stimulation_gain: true\n"}}) + more;
  const Json json = io::ParseYaml(path, text).value();
  return ParseTarget(io::JsonView(json, path)).value();
}

struct Heard {
  io::DecodingWindow window;
  std::vector<io::UnitSpike> spikes;
};

// Of the cells of a case, its warm-up left out.
Heard Hear(const Json& livn, const Json& measured) {
  Heard out;
  const auto first = static_cast<int64_t>(livn["warmup_ms"].get<double>() / out.window.tick_ms);
  out.window.num_ticks =
      static_cast<int64_t>(livn["duration_ms"].get<double>() / out.window.tick_ms);
  for (const auto& [name, count] : livn["populations"].items()) {
    out.window.groups.push_back({name, out.window.num_units, count.get<int64_t>()});
    out.window.num_units += count.get<int64_t>();
  }
  for (size_t i = 0; i < measured["gids"].size(); ++i) {
    const int64_t tick = measured["ticks"][i].get<int64_t>() - first;
    if (tick >= 0) out.spikes.push_back({measured["gids"][i].get<int32_t>(), tick});
  }
  return out;
}

Features MeasureOf(const Heard& heard, bool livn) {
  return Measure({livn, 150}, heard.window, heard.spikes, heard.window, heard.spikes).value();
}

TEST(LivnNumbers, FeaturesAreTheSame) {
  const Json livn = Livn();
  for (const auto& [name, measured] : livn["measured"].items()) {
    const Features features = MeasureOf(Hear(livn, measured), true);
    for (const auto& [feature, value] : measured["features"].items()) {
      const int index = FindFeature(feature);
      ASSERT_GE(index, 0) << feature;
      const double ours = features[static_cast<size_t>(index)];
      if (value.is_null()) {
        EXPECT_TRUE(std::isnan(ours)) << name << " " << feature << " " << ours;
      } else {
        // livn adds 1e-9 to its denominators.
        EXPECT_NEAR(ours, value.get<double>(), 1e-8 * (1.0 + std::fabs(ours)))
            << name << " " << feature;
      }
    }
  }
}

TEST(LivnNumbers, ObjectivesAndConstraintsAreTheSame) {
  const Json livn = Livn();
  const Target target = TargetOf("systems/targets/culture-livn.yml");
  ASSERT_TRUE(target.livn_metrics);
  for (const auto& [name, measured] : livn["measured"].items()) {
    const Heard heard = Hear(livn, measured);
    const Scores scores = ScoreTrials(target, {MeasureOf(heard, true)}, heard.window.num_units);
    ASSERT_EQ(target.objectives.size(), measured["objectives"].size());
    for (size_t i = 0; i < target.objectives.size(); ++i) {
      const double value = measured["objectives"][target.objectives[i].name].get<double>();
      EXPECT_NEAR(scores.objectives[i], value, 1e-8 * (1.0 + std::fabs(value)))
          << name << " " << target.objectives[i].name;
    }
    ASSERT_EQ(target.constraints.size(), measured["constraints"].size());
    for (size_t i = 0; i < target.constraints.size(); ++i) {
      const double value = measured["constraints"][target.constraints[i].name].get<double>();
      EXPECT_NEAR(scores.constraints[i], value, 1e-8 * (1.0 + std::fabs(value)))
          << name << " " << target.constraints[i].name;
    }
  }
}

TEST(LivnNumbers, ThresholdsAndMissesAreTheSame) {
  const Json livn = Livn();
  const auto ladder = livn["ladder"].get<std::vector<double>>();
  ASSERT_GT(livn["misses"].size(), 90u);
  for (const Json& one : livn["misses"]) {
    SCOPED_TRACE(one["name"].get<std::string>());
    const Json& known = one["measured"];
    const auto number = [&](const char* name) {
      return known[name].is_null() ? 0.0 : known[name].get<double>();
    };
    RecruitmentBracket measured;
    if (known["censored"] == "above") measured.censored = RecruitmentBracket::Censored::kAbove;
    if (known["censored"] == "below") measured.censored = RecruitmentBracket::Censored::kBelow;
    measured.below_ua = number("below_mv");
    measured.above_ua = number("above_mv");
    measured.highest_ua = number("highest_tested_mv");
    measured.amplitudes_ua = known["amplitudes_mv"].get<std::vector<double>>();
    if (!known["probabilities"].is_null()) {
      measured.probabilities = known["probabilities"].get<std::vector<double>>();
    }
    const RecruitmentBracket simulated =
        BracketOf(ladder, one["curve"].get<std::vector<double>>(), 0.5);
    const double threshold = one["threshold"].get<double>();
    EXPECT_NEAR(ThresholdUa(simulated), threshold, 1e-12 * threshold);
    EXPECT_NEAR(ThresholdMiss(measured, simulated), one["threshold_miss"].get<double>(), 1e-12);
    const double logits = RecruitmentMiss(measured, simulated);
    if (one["recruitment_miss"].is_null()) {
      EXPECT_TRUE(std::isnan(logits));
    } else {
      EXPECT_NEAR(logits, one["recruitment_miss"].get<double>(), 1e-12);
    }
  }
}

// What livn gets wrong, and we do not unless asked to.
TEST(LivnNumbers, CorrectedOnesDifferWhereLivnIsWrong) {
  const Json livn = Livn();
  const auto at = [](const Features& f, const char* name) {
    return f[static_cast<size_t>(FindFeature(name))];
  };
  // 7 of 20 cells fire: livn's mean is over these.
  const Heard sparse = Hear(livn, livn["measured"]["sparse"]);
  const double right = at(MeasureOf(sparse, false), "mfr"),
               wrong = at(MeasureOf(sparse, true), "mfr");
  EXPECT_DOUBLE_EQ(right, static_cast<double>(sparse.spikes.size()) / 20.0 / 6.0);
  EXPECT_NEAR(wrong, right * 20.0 / 7.0, 1e-9);
  // Active enough, but for its last second: livn tells stable, and not within the bound of quiescence.
  const Heard silent = Hear(livn, livn["measured"]["last_second_silent"]);
  for (const bool as_livn : {false, true}) {
    const Target target =
        TargetOf(as_livn ? "systems/targets/culture-livn.yml" : "systems/targets/culture.yml");
    const Features features = MeasureOf(silent, as_livn);
    const std::vector<double> values = ConstraintValues(target.constraints, features, 20);
    ASSERT_EQ(target.constraints[1].name, "not_quiescent");
    ASSERT_EQ(target.constraints[2].name, "is_stable");
    EXPECT_EQ(values[1] > 0.0, !as_livn);
    EXPECT_EQ(at(features, "tail_rate_hz"), 0.0);
  }
}

class Decoding : public testing::TestWithParam<const char*> {};

TEST_P(Decoding, SpaceAndParametersAreTheSame) {
  const Json decoded = Livn()["decoded"][GetParam()];
  Target target = TargetOf("systems/targets/culture-livn.yml");
  if (GetParam() == std::string("conductances")) {
    target.space.noise = {
        {"g_e0", {0.0002, 0.02, Scale::kLog10}},  {"g_i0", {0.002, 0.06, Scale::kLog10}},
        {"std_e", {0.0001, 0.05, Scale::kLog10}}, {"std_i", {0.0005, 0.05, Scale::kLog10}},
        {"tau_e", {1.0, 40.0, Scale::kLog10}},    {"tau_i", {4.0, 40.0, Scale::kIdentity}}};
  }
  if (GetParam() == std::string("ignition")) {
    target.space.reference.reset();
    target.space.ignition = Range{0.0005, 0.1, Scale::kLog10};
    target.space.noise_balance = {{"INH", {0.1, 10.0, Scale::kLog10}}};
  }
  // 300 and 400 mV at 0.05 uA/mV.
  if (GetParam() == std::string("stimulus")) {
    target = TargetOf("systems/targets/culture-livn.yml", R"(
stimulus: {amplitudes_ua: [15, 20], trial_ms: 6000}
)");
  }
  target.space.adaptation = GetParam() == std::string("adaptation");
  const io::System system = io::ReadSystem("systems/EI-100").value();
  const io::CultureSetup setup = io::SetUpCulture(system).value();
  const SearchSpace space = SearchSpace::Create(target.space, system, setup).value();
  ASSERT_EQ(space.dimensions().size(), decoded["space"].size());
  size_t i = 0;
  for (const auto& [name, bounds] : decoded["space"].items()) {
    const Dimension& dimension = space.dimensions()[i++];
    EXPECT_EQ(dimension.name, name);
    EXPECT_DOUBLE_EQ(dimension.low(), bounds[0].get<double>()) << name;
    EXPECT_DOUBLE_EQ(dimension.high(), bounds[1].get<double>()) << name;
  }
  for (const Json& point : decoded["points"]) {
    std::vector<double> coordinates;
    for (const auto& x : point["x"].items()) coordinates.push_back(x.value().get<double>());
    const io::ParamList params = space.Params(coordinates);
    ASSERT_EQ(params.size(), point["params"].size());
    for (const io::Param& param : params) {
      ASSERT_TRUE(point["params"].contains(param.key)) << param.key;
      const double value = point["params"][param.key].get<double>();
      EXPECT_NEAR(param.values[0], value, 1e-12 * value) << param.key;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Livn, Decoding,
                         testing::Values("balance", "conductances", "ignition", "adaptation",
                                         "stimulus"));

}  // namespace
}  // namespace livnd::lab
