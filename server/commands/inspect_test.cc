#include "server/commands/inspect.h"

#include <cmath>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "server/commands/flags.h"

namespace livnd::server {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

struct Result {
  int status;
  std::string out;
  std::string err;
};

Result Inspect(const std::vector<std::string>& args) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int status = InspectCommand(args);
  return {status, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

// Every member of `truth` that `found` has must be equal; sums may differ in the last digits.
void ExpectAgrees(const Json& found, const Json& truth, const std::string& where) {
  SCOPED_TRACE(where);
  if (truth.is_object() && found.is_object()) {
    for (const auto& [key, value] : truth.items()) {
      if (found.contains(key)) ExpectAgrees(found[key], value, where + "." + key);
    }
  } else if (truth.is_array() && found.is_array() && truth.size() == found.size()) {
    for (size_t i = 0; i < truth.size(); ++i) ExpectAgrees(found[i], truth[i], where);
  } else if (truth.is_number_float() && found.is_number()) {
    EXPECT_NEAR(found.get<double>(), truth.get<double>(), 1e-9 * std::abs(truth.get<double>()));
  } else {
    EXPECT_EQ(found, truth);
  }
}

class InspectTest : public testing::TestWithParam<const char*> {};

TEST_P(InspectTest, JsonAgreesWithTruth) {
  const std::string folder = GetParam();
  const Result result = Inspect({folder, "--json"});
  ASSERT_EQ(result.status, kExitOk) << result.err;
  Json truth = Json::parse(std::ifstream(folder + "/truth.json"));
  truth["files"].erase("graph.json");  // S1's is not the file that truth.json was made from
  const Json found = Json::parse(result.out);
  for (const char* key : {"populations", "population_names_order", "num_neurons", "coordinates",
                          "synapses", "projections", "total_edges", "mea", "files"}) {
    EXPECT_TRUE(found.contains(key)) << key;
  }
  EXPECT_EQ(found["projections"].size(), truth["projections"].size());
  ExpectAgrees(found, truth, "");
}

TEST_P(InspectTest, PrintsTables) {
  const Result result = Inspect({GetParam()});
  EXPECT_EQ(result.status, kExitOk);
  EXPECT_THAT(result.out, HasSubstr("population"));
  EXPECT_THAT(result.out, HasSubstr("EXC->EXC"));
  EXPECT_THAT(result.out, HasSubstr("electrodes"));
}

INSTANTIATE_TEST_SUITE_P(Systems, InspectTest,
                         testing::Values("systems/EI-mini", "systems/EI-100", "systems/S1-MEA4",
                                         "tests/data/systems/E-100", "tests/data/systems/EI-alt",
                                         "tests/data/systems/EI-blocks", "tests/data/systems/S1"));

TEST(InspectCommandTest, WarnsOfElectrodesWithoutCells) {
  for (const std::vector<std::string>& flags : {std::vector<std::string>{}, {"--json"}}) {
    const auto inspect = [&flags](std::string folder) {
      std::vector<std::string> args = {std::move(folder)};
      args.insert(args.end(), flags.begin(), flags.end());
      return Inspect(args);
    };
    const Result deaf = inspect("tests/data/systems/S1");
    EXPECT_EQ(deaf.status, kExitOk);
    EXPECT_THAT(deaf.err, HasSubstr("warning: 16 of 16 electrodes hear no cell: no soma lies "
                                    "within 250 um (output_radius of mea.json) of 0, 1, 2, "));
    const Result near = inspect("systems/S1-MEA4");
    EXPECT_EQ(near.status, kExitOk);
    EXPECT_THAT(near.err, HasSubstr("warning: 1 of 4 electrodes hear no cell: no soma lies within "
                                    "15 um (output_radius of mea.json) of 3\n"));
    EXPECT_EQ(inspect("systems/EI-mini").err, "");
  }
  EXPECT_EQ(Json::parse(Inspect({"systems/S1-MEA4", "--json"}).out)["mea"]["without_cells"],
            Json::parse("[3]"));
}

TEST(InspectCommandTest, SaysWhichTasksASystemCarriesAndWhyNotTheOthers) {
  EXPECT_THAT(Inspect({"systems/EI-mini"}).out, HasSubstr("TargetRate-EI-mini-v0"));
  const std::string out = Inspect({"systems/S1-MEA4"}).out;
  EXPECT_THAT(out, HasSubstr("tasks: none\n"));
  EXPECT_THAT(out, HasSubstr("no TargetRate-S1-MEA4-v0: systems/S1-MEA4/params/default.json"));
  const Json all = Json::parse(Inspect({"systems/EI-mini", "--json"}).out);
  EXPECT_THAT(all["tasks"].get<std::vector<std::string>>(),
              testing::Contains("TargetRate-EI-mini-v0"));
  EXPECT_EQ(all["not_offered"], Json::array());
  const Json none = Json::parse(Inspect({"systems/S1-MEA4", "--json"}).out);
  EXPECT_EQ(none["tasks"], Json::array());
  std::vector<std::string> ids;
  for (const Json& one : none["not_offered"]) {
    ids.push_back(one["environment_id"]);
    EXPECT_THAT(one["why"].get<std::string>(),
                testing::StartsWith("systems/S1-MEA4/params/default.json"));
  }
  EXPECT_THAT(ids, testing::Contains("Pong-S1-MEA4-v0"));
}

TEST(InspectCommandTest, SaysWhyASystemCannotBeRead) {
  const Result result = Inspect({"no/such/system"});
  EXPECT_EQ(result.status, kExitFailure);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("no/such/system/graph.json"));
}

TEST(InspectCultureTest, ShowsWhatTheDocumentsComeTo) {
  const Result result = Inspect({"systems/EI-mini", "--culture", "--json"});
  ASSERT_EQ(result.status, kExitOk) << result.err;
  const Json found = Json::parse(result.out);
  EXPECT_EQ(found["params_from"], "params/default.json, group default");
  const Json params = Json::parse(std::ifstream("systems/EI-mini/params/default.json"));
  const Json& stored = params["ReducedCalciumSomaDendrite"]["default"]["params"];
  EXPECT_EQ(found["synapses"]["EXC_EXC-dend-AMPA"]["weight"],
            stored["weight-EXC_EXC-dend-AMPA-weight"]);
  EXPECT_EQ(found["noise"]["INH"]["std_e"], stored["noise-INH-std_e"]);
  EXPECT_EQ(found["noise"]["EXC"]["std_e"], stored["noise-std_e"]);
  EXPECT_EQ(found["cells"]["soma.cm"].size(), 10u);
  EXPECT_TRUE(found["cells"]["dend.cm"][9].is_null());
  EXPECT_EQ(found["electrodes"]["electrode_coordinates"].size(), 8u);
  const Result text = Inspect({"systems/EI-mini", "--culture"});
  EXPECT_EQ(text.status, kExitOk);
  EXPECT_THAT(text.out, HasSubstr("EXC_INH-soma-GABA_A: weight 3.278"));
}

TEST(InspectCultureTest, IsADryRunOfChanges) {
  const Result result = Inspect(
      {"systems/EI-mini", "--culture", "--json", "--group", "none", "--selection",
       R"({"EXC": [2, 5], "INH": 1})", "--model",
       R"({"cls": "livn.models.rcsd.ReducedCalciumSomaDendrite", "kwargs": {"size_cv": 0.3}})",
       "--set", R"({"EXC": 2.5, "cells-EXC:dend.cm": [1, 2, 3], "io-output_radius": 70})"});
  ASSERT_EQ(result.status, kExitOk) << result.err;
  const Json found = Json::parse(result.out);
  EXPECT_EQ(found["params_from"], "--set");
  EXPECT_EQ(found["gids"], Json::parse(R"({"EXC": [2, 5], "INH": [8]})"));
  EXPECT_TRUE(found["noise"].is_null());
  for (const auto& [key, numbers] : found["synapses"].items()) {
    EXPECT_EQ(numbers["weight"], key.rfind("EXC_", 0) == 0 ? 2.5 : 1.0) << key;
  }
  EXPECT_EQ(found["cells"]["dend.cm"], Json::parse("[1.0, 2.0, null]"));
  EXPECT_EQ(found["electrodes"]["output_radius"], 70.0);
}

TEST(InspectCultureTest, ShowsPointNeurons) {
  for (const std::string cls : {"livn.models.glif.GLIF", "livn.models.izhikevich.Izhikevich"}) {
    const bool glif = cls == "livn.models.glif.GLIF";
    const Result result =
        Inspect({"systems/EI-mini", "--culture", "--json", "--model",
                 R"({"cls": ")" + cls + R"(", "kwargs": {}})", "--set",
                 std::string(R"({"EXC_INH": 3.5, "noise-INH-level": 2, "cells-EXC:)") +
                     (glif ? "tau_m" : "d") + R"(": 7.5})"});
    ASSERT_EQ(result.status, kExitOk) << result.err;
    const Json found = Json::parse(result.out);
    EXPECT_EQ(found["synapses"]["EXC_INH-soma-I_syn"]["weight"], 3.5);
    EXPECT_EQ(found["synapses"]["EXC_EXC-soma-I_syn"]["weight"], 1.0);
    EXPECT_EQ(found["noise"], Json::parse(R"({"EXC": {"level": 1.0}, "INH": {"level": 2.0}})"));
    const Json& cells = found["cells"][glif ? "tau_m" : "d"];
    ASSERT_EQ(cells.size(), 10u);
    EXPECT_EQ(cells[7], 7.5);
    EXPECT_NE(cells[8], 7.5);
    EXPECT_EQ(found["cells"].count("soma.cm"), 0u);
  }
}

TEST(InspectCultureTest, AModelMayLeaveOutItsArguments) {
  const Result result = Inspect({"systems/EI-mini", "--culture", "--json", "--group", "none",
                                 "--model", R"({"cls": "livn.models.izhikevich.Izhikevich"})"});
  ASSERT_EQ(result.status, kExitOk) << result.err;
  EXPECT_EQ(Json::parse(result.out)["cells"].count("d"), 1u);
}

TEST(InspectCultureTest, SaysWhatIsWrongWithAChange) {
  const struct {
    const char* flag;
    const char* text;
    const char* says;
  } kCases[] = {
      {"--selection", "e1",
       "--selection: cells is e1; accepted: no name: the system has no stored selections"},
      {"--selection", "{", "--selection"},
      {"--selection", "11", "--selection: cells is 11; accepted: 0 .. 10 (cells)"},
      {"--model", R"({"cls": "a.B", "kwargs": {}})", "--model: cls is a.B; accepted: livn.models."},
      {"--model", R"({"cls": "a.B"})", "--model: cls is a.B; accepted: livn.models."},
      {"--group", "strong", "--group is strong; accepted: default"},
      {"--set", R"({"EXC_PYR": 1})", "--set: params[EXC_PYR].key is EXC_PYR; accepted: "},
      {"--set", R"({"noise-tau_e": -1})",
       "--set: params[noise-tau_e].value is -1; accepted: a number > 0 (ms)"},
      {"--set", R"({"cells-dend.cm": 1})",
       "--set: params[cells-dend.cm].key is cells-dend.cm; accepted: "},
      {"--set", "3", "--set is 3; accepted: an object"}};
  for (const auto& c : kCases) {
    const Result result = Inspect({"systems/EI-mini", "--culture", c.flag, c.text});
    EXPECT_EQ(result.status, kExitFailure) << c.text;
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, HasSubstr("EI-mini"));
    EXPECT_THAT(result.err, HasSubstr(c.says));
  }
}

TEST(InspectCommandTest, RefusesOtherArguments) {
  EXPECT_EQ(Inspect({}).status, kExitUsage);
  EXPECT_EQ(Inspect({"a", "b"}).status, kExitUsage);
  EXPECT_EQ(Inspect({""}).status, kExitUsage);
  EXPECT_EQ(Inspect({"systems/EI-mini", "--yaml"}).status, kExitUsage);
  EXPECT_EQ(Inspect({"systems/EI-mini", "--group", "none"}).status, kExitUsage);
  EXPECT_EQ(Inspect({"--help"}).status, kExitOk);
}

}  // namespace
}  // namespace livnd::server
