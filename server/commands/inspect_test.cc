#include "server/commands/inspect.h"

#include <cmath>
#include <fstream>
#include <string>
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
                         testing::Values("systems/EI-mini", "systems/EI-100",
                                         "tests/data/systems/E-100", "tests/data/systems/EI-alt",
                                         "tests/data/systems/EI-blocks", "tests/data/systems/S1"));

TEST(InspectCommandTest, SaysWhyASystemCannotBeRead) {
  const Result result = Inspect({"no/such/system"});
  EXPECT_EQ(result.status, kExitFailure);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("no/such/system/graph.json"));
}

TEST(InspectCommandTest, RefusesOtherArguments) {
  EXPECT_EQ(Inspect({}).status, kExitUsage);
  EXPECT_EQ(Inspect({"a", "b"}).status, kExitUsage);
  EXPECT_EQ(Inspect({"systems/EI-mini", "--yaml"}).status, kExitUsage);
  EXPECT_EQ(Inspect({"--help"}).status, kExitOk);
}

}  // namespace
}  // namespace livnd::server
