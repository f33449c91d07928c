#include "io/system/summary.h"

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace livnd::io {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Three cells on a line, 100 um apart.
System Line() {
  System system;
  system.populations = {{"EXC", 10, 0, 3}};
  system.position_um = {{0, 0, 0}, {100, 0, 0}, {200, 0, 0}};
  return system;
}

TEST(ElectrodeSummaryTest, CountsTheCellsThatEachElectrodeHears) {
  ElectrodeArrayConfig array;
  array.electrodes = {{7, {0, 0, 0}}, {3, {100, 0, 0}}, {5, {200, 30, 0}}, {1, {200, 0, 101}}};
  array.output_radius_um = 100.0;
  const absl::StatusOr<ElectrodeSummary> summary = Summarize(Line(), array);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->cells.n, 4u);
  EXPECT_EQ(summary->cells.sum, 2 + 3 + 1);
  EXPECT_EQ(summary->cells.min, 0);
  EXPECT_EQ(summary->cells.max, 3);
  EXPECT_THAT(summary->ids_without_cells, ElementsAre(1));
}

TEST(ElectrodeSummaryTest, NamesThoseWithoutCellsInDeclaredOrder) {
  ElectrodeArrayConfig array;
  array.electrodes = {{7, {0, 0, 11}}, {3, {100, 0, 10}}, {5, {0, 11, 0}}};
  array.output_radius_um = 10.0;
  EXPECT_THAT(Summarize(Line(), array)->ids_without_cells, ElementsAre(7, 5));
  array.output_radius_um = 11.0;
  EXPECT_THAT(Summarize(Line(), array)->ids_without_cells, IsEmpty());
}

TEST(ElectrodeSummaryTest, RefusesAnArrayThatIsNone) {
  ElectrodeArrayConfig array;
  array.electrodes = {{7, {0, 0, 0}}, {7, {1, 0, 0}}};
  EXPECT_FALSE(Summarize(Line(), array).ok());
}

}  // namespace
}  // namespace livnd::io
