#include "io/coding/coding_spec.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "base/field_error_matchers.h"
#include "gtest/gtest.h"
#include "io/coding/coding_fields.h"
#include "io/json/json_file.h"
#include "io/json/json_view.h"

namespace livnd::io {
namespace {

struct Config {
  double bin_ms = 50.0;
  int64_t min_spikes = 3;
  bool matrix = false;
  int count = 0;
  std::vector<double> onsets_ms;
  std::vector<std::vector<double>> channels;

  void Describe(CodingFields& fields) {
    fields.Number("bin_ms", &bin_ms, 0.5, 1e3);
    fields.Whole("min_spikes", &min_spikes, 1, 100);
    fields.Flag("matrix", &matrix);
    fields.Word("count", &count, {"runs", "edges"});
    fields.Numbers("onsets_ms", &onsets_ms, 3, 0.0, 1e6);
    fields.Lists("channels", &channels, 2, 0.0, 9.0);
    fields.Require(bin_ms < 900.0 || !matrix, "matrix", "true", "false with bins of 900 ms");
  }
};

absl::Status Read(const char* text, Config* config) {
  const auto spec = CodingSpec::ParseText("spec.yaml", text);
  return spec.ok() ? ReadFields(spec->fields(), config) : spec.status();
}

TEST(CodingSpecTest, TakesYamlJsonAndANameAlone) {
  Config config;
  ASSERT_TRUE(Read("name: x\nbin_ms: 20\ncount: edges\nmatrix: true\nonsets_ms: [1, 2.5]\n"
                   "channels: [[0, 1], []]\n",
                   &config)
                  .ok());
  EXPECT_EQ(config.bin_ms, 20.0);
  EXPECT_EQ(config.count, 1);
  EXPECT_TRUE(config.matrix);
  EXPECT_EQ(config.onsets_ms, (std::vector<double>{1.0, 2.5}));
  EXPECT_EQ(config.channels, (std::vector<std::vector<double>>{{0.0, 1.0}, {}}));
  EXPECT_EQ(config.min_spikes, 3);
  config = Config();
  ASSERT_TRUE(Read(R"({"name": "x", "min_spikes": 7})", &config).ok());
  EXPECT_EQ(config.min_spikes, 7);
  config = Config();
  const auto spec = CodingSpec::ParseText("spec.yaml", "rates");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->name(), "rates");
  EXPECT_TRUE(ReadFields(spec->fields(), &config).ok());
}

TEST(CodingSpecTest, ErrorsNameFileFieldAndWhatIsAccepted) {
  const auto error_of = [](const char* text) {
    Config config;
    return Read(text, &config);
  };
  EXPECT_THAT(error_of("[x]"), IsFileError("spec.yaml", "", "an array of 1 elements",
                                           "a name, or an object with a name and numbers"));
  EXPECT_THAT(error_of("bin_ms: 3"), IsFileError("spec.yaml", "name", "absent", "a value"));
  EXPECT_THAT(error_of("{name: [1]}"),
              IsFileError("spec.yaml", "name", "an array of 1 elements", "a string"));
  EXPECT_THAT(error_of("{name: x, bin_mss: 3}"),
              IsFileError("spec.yaml", "bin_mss", "an unknown name",
                          "bin_ms (the nearest), or bin_ms, min_spikes, matrix, count, onsets_ms, "
                          "channels"));
  EXPECT_THAT(error_of("{name: x, bin_ms: 0.1}"),
              IsFileError("spec.yaml", "bin_ms", "0.1", "0.5 .. 1000"));
  EXPECT_THAT(error_of("{name: x, bin_ms: wide}"),
              IsFileError("spec.yaml", "bin_ms", "\"wide\"", "a number"));
  EXPECT_THAT(error_of("{name: x, min_spikes: 2.5}"),
              IsFileError("spec.yaml", "min_spikes", "2.5", "an integer from 1 to 100"));
  EXPECT_THAT(error_of("{name: x, count: both}"),
              IsFileError("spec.yaml", "count", "\"both\"", "runs or edges"));
  EXPECT_THAT(error_of("{name: x, onsets_ms: [1, -2]}"),
              IsFileError("spec.yaml", "onsets_ms[1]", "-2", "0 .. 1e+06"));
  EXPECT_THAT(error_of("{name: x, onsets_ms: [1, 2, 3, 4]}"),
              IsFileError("spec.yaml", "onsets_ms", "4 numbers", "at most 3"));
  EXPECT_THAT(error_of("{name: x, channels: [[1], [10]]}"),
              IsFileError("spec.yaml", "channels[1][0]", "10", "0 .. 9"));
  EXPECT_THAT(error_of("{name: x, bin_ms: 950, matrix: true}"),
              IsFileError("spec.yaml", "matrix", "true", "false with bins of 900 ms"));
}

TEST(CodingSpecTest, TheNearestNameIsTold) {
  const auto spec = CodingSpec::ParseText("spec.yaml", "netwrk_bursts");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_THAT(spec->UnknownName({"bursts", "network_bursts"}),
              IsFileError("spec.yaml", "name", "netwrk_bursts",
                          "network_bursts (the nearest), or bursts, network_bursts"));
}

TEST(CodingSpecTest, APartOfADocumentTellsItsPlace) {
  const Json document = {{"decodings", {{{"name", "x"}, {"bin_ms", 0}}}}};
  const JsonView root(document, "task.yaml");
  const JsonView view = *root.Member("decodings")->Elements()->at(0).Member("name");
  const JsonView object = root.Member("decodings")->Elements()->at(0);
  const auto spec = CodingSpec::Parse(object);
  ASSERT_TRUE(spec.ok()) << spec.status();
  Config config;
  EXPECT_THAT(object.Within(ReadFields(spec->fields(), &config)),
              IsFileError("task.yaml", "decodings[0].bin_ms", "0", "0.5 .. 1000"));
  EXPECT_TRUE(CodingSpec::Parse(view).ok());
}

TEST(CodingSpecTest, StructsAreCheckedByTheSameList) {
  Config config;
  EXPECT_TRUE(CheckFields(config).ok());
  config.bin_ms = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(CheckFields(config), IsFieldError("bin_ms", "nan", "0.5 .. 1000"));
  config = Config();
  config.count = 2;
  EXPECT_THAT(CheckFields(config), IsFieldError("count", "2", "runs or edges"));
  config = Config();
  config.channels = {{}, {}, {}};
  EXPECT_THAT(CheckFields(config), IsFieldError("channels", "3 lists", testing::_));
}

TEST(CodingSpecTest, TheListTellsDefaults) {
  CodingFields fields;
  Config().Describe(fields);
  ASSERT_EQ(fields.described().size(), 6u);
  EXPECT_EQ(fields.described()[0].name, "bin_ms");
  EXPECT_EQ(fields.described()[0].value, "50");
  EXPECT_EQ(fields.described()[3].accepted, "runs or edges");
}

}  // namespace
}  // namespace livnd::io
