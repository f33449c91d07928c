#include "io/recording/hdf5/file_space.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace livnd::io::hdf5 {
namespace {

TEST(FileSpaceTest, TakesAGapOnlyAfterTheCommitThatNoLongerNeedsIt) {
  FileSpace space(4096);
  const Extent first = space.Allocate(1000);
  EXPECT_EQ(first.address, 4096u);
  space.Release(first);
  const Extent second = space.Allocate(1000);
  EXPECT_NE(second.address, first.address);
  space.Commit();
  EXPECT_EQ(space.Allocate(1000).address, first.address);
}

TEST(FileSpaceTest, TakesTheSmallestGapThatIsLargeEnough) {
  FileSpace space(0);
  const Extent large = space.Allocate(1024);
  space.Allocate(64);
  const Extent small = space.Allocate(512);
  space.Allocate(64);
  space.Release(large);
  space.Release(small);
  space.Commit();
  EXPECT_EQ(space.Allocate(300).address, small.address);
  EXPECT_EQ(space.Allocate(300).address, large.address);
}

// What is alive overlaps nothing alive, and nothing that the last commit still needs.
TEST(FileSpaceTest, ExtentsNeverOverlap) {
  std::mt19937_64 random(1);
  FileSpace space(100);
  std::vector<Extent> alive, needed;
  for (int i = 0; i < 20000; ++i) {
    if (alive.size() < 40 || random() % 2 == 0) {
      const Extent extent = space.Allocate(1 + random() % 5000);
      EXPECT_GE(extent.address, 100u);
      EXPECT_LE(extent.address + extent.num_bytes, space.end());
      for (const auto* others : {&alive, &needed}) {
        for (const Extent& other : *others) {
          EXPECT_TRUE(extent.address + extent.num_bytes <= other.address ||
                      other.address + other.num_bytes <= extent.address);
        }
      }
      alive.push_back(extent);
    } else {
      const size_t which = random() % alive.size();
      space.Release(alive[which]);
      needed.push_back(alive[which]);
      alive.erase(alive.begin() + which);
    }
    if (alive.size() > 60) {
      space.Release(alive.back());
      needed.push_back(alive.back());
      alive.pop_back();
    }
    if (random() % 20 == 0) {
      space.Commit();
      needed.clear();
    }
  }
  // Room that was given back is found again.
  EXPECT_LT(space.end(), 2000000u);
}

TEST(FileSpaceTest, NeighbouringGapsBecomeOne) {
  FileSpace space(0);
  std::vector<Extent> extents;
  for (int i = 0; i < 9; ++i) extents.push_back(space.Allocate(64));
  space.Allocate(64);
  std::mt19937_64 random(2);
  std::shuffle(extents.begin(), extents.end(), random);
  for (const Extent& extent : extents) space.Release(extent);
  space.Commit();
  EXPECT_EQ(space.num_free_bytes(), 9u * 64);
  EXPECT_EQ(space.Allocate(9 * 64).address, 0u);
}

}  // namespace
}  // namespace livnd::io::hdf5
