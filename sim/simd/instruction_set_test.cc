#include "sim/simd/instruction_set.h"

#include "gtest/gtest.h"

namespace livnd::sim {
namespace {

TEST(InstructionSetTest, TheBestIsUsedUntilAnotherIsChosen) {
  const std::vector<std::string> sets = InstructionSets();
  ASSERT_FALSE(sets.empty());
  EXPECT_EQ(sets.back(), "portable");
  EXPECT_EQ(InstructionSetInUse(), sets.front());
  for (const std::string& set : sets) {
    ASSERT_TRUE(UseInstructionSet(set).ok());
    EXPECT_EQ(InstructionSetInUse(), set);
  }
}

TEST(InstructionSetTest, AnUnknownOneIsRefusedWithThoseThereAre) {
  const std::string before = InstructionSetInUse();
  const absl::Status status = UseInstructionSet("mmx");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("portable"), absl::string_view::npos) << status;
  EXPECT_EQ(InstructionSetInUse(), before);
}

}  // namespace
}  // namespace livnd::sim
