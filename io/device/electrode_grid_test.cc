#include "io/device/electrode_grid.h"

#include "base/field_error_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace livnd::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ElectrodeGridTest, DefaultGrid) {
  const auto grid = MakeElectrodeGrid();
  ASSERT_TRUE(grid.ok());
  ASSERT_EQ(grid->size(), 16u);
  EXPECT_THAT((*grid)[0].position_um, ElementsAre(500, 500, 175));
  EXPECT_THAT((*grid)[3].position_um, ElementsAre(3500, 500, 175));
  EXPECT_THAT((*grid)[4].position_um, ElementsAre(500, 1500, 175));
  EXPECT_EQ((*grid)[5].id, 5);
  EXPECT_THAT((*grid)[5].position_um, ElementsAre(1500, 1500, 175));
  EXPECT_THAT((*grid)[15].position_um, ElementsAre(3500, 3500, 175));
}

TEST(ElectrodeGridTest, GridForArea) {
  const auto wide = MakeElectrodeGridForArea(400, {0, 0}, {1600, 3200});
  ASSERT_TRUE(wide.ok());
  ASSERT_EQ(wide->size(), 32u);
  EXPECT_THAT(wide->front().position_um, ElementsAre(200, 200, 0));
  EXPECT_THAT(wide->back().position_um, ElementsAre(1400, 3000, 0));
  const auto narrow = MakeElectrodeGridForArea(200, {0, 0}, {1600, 3200});
  ASSERT_TRUE(narrow.ok());
  ASSERT_EQ(narrow->size(), 128u);
  EXPECT_THAT(narrow->front().position_um, ElementsAre(100, 100, 0));
  EXPECT_THAT(narrow->back().position_um, ElementsAre(1500, 3100, 0));
}

TEST(ElectrodeGridTest, SmallAreaHasOneElectrodeInItsCentre) {
  const auto grid = MakeElectrodeGridForArea(100, {-10, 0}, {10, 30}, 5);
  ASSERT_TRUE(grid.ok());
  ASSERT_EQ(grid->size(), 1u);
  EXPECT_THAT(grid->front().position_um, ElementsAre(0, 15, 5));
}

TEST(ElectrodeGridTest, RefusesImpossibleGrids) {
  EXPECT_FALSE(MakeElectrodeGridForArea(0, {0, 0}, {1, 1}).ok());
  EXPECT_THAT(MakeElectrodeGridForArea(10, {0, 0}, {-1, 1}).status(),
              IsFieldError("max_um[0]", "-1", HasSubstr("min_um = 0")));
  EXPECT_FALSE(MakeElectrodeGridForArea(1e-9, {0, 0}, {1e9, 1e9}).ok());
  ElectrodeGrid grid;
  grid.num_x = 0;
  EXPECT_THAT(MakeElectrodeGrid(grid).status(),
              IsFieldError("num_x", "0, with num_y = 4", HasSubstr("65536")));
}

}  // namespace
}  // namespace livnd::io
