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

}  // namespace
}  // namespace livnd::lab
