#include <string>

#include "gtest/gtest.h"
#include "io/json/json_file.h"
#include "sim/culture/culture.h"
#include "sim/simd/instruction_set.h"
#include "tests/golden/scenarios.h"

namespace livnd::sim {
namespace {

// With every instruction set that the host can run.
class GoldenTest : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenTest, EveryBitIsAsItWas) {
  ASSERT_TRUE(UseInstructionSet(GetParam()).ok());
  const absl::StatusOr<io::Json> golden = io::ReadJsonFile("tests/data/golden/culture.json");
  ASSERT_TRUE(golden.ok()) << golden.status();
  const io::Json now = RunScenarios();
  const io::Json& was = (*golden)["scenarios"];
  ASSERT_EQ(now.size(), was.size());
  for (const auto& [name, scenario] : was.items()) {
    ASSERT_TRUE(now.contains(name)) << name;
    for (const auto& [what, value] : scenario.items()) {
      EXPECT_EQ(now[name][what], value) << name << ": " << what;
    }
  }
  // A change that is meant: change kPhysicsVersion too, then run tests/golden/renew.sh.
  EXPECT_EQ((*golden)["physics_version"].get<std::string>(), kPhysicsVersion);
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, GoldenTest, ::testing::ValuesIn(InstructionSets()),
                         [](const auto& set) { return set.param; });

}  // namespace
}  // namespace livnd::sim
