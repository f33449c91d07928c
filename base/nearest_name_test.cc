#include "base/nearest_name.h"

#include "gtest/gtest.h"

namespace livnd {
namespace {

TEST(NearestNameTest, FewestChangesComeFirstAndAllNamesFollow) {
  EXPECT_EQ(NearestAndAll("rate", {"spike_counts", "rates", "bursts"}),
            "rates (the nearest), or spike_counts, rates, bursts");
  EXPECT_EQ(NearestAndAll("burts", {"rates", "bursts"}), "bursts (the nearest), or rates, bursts");
}

TEST(NearestNameTest, OfEqualOnesTheFirst) {
  EXPECT_EQ(NearestAndAll("", {"ab", "cd"}), "ab (the nearest), or ab, cd");
}

}  // namespace
}  // namespace livnd
