#include "env/seed.h"

#include "gtest/gtest.h"

namespace livnd::env {
namespace {

TEST(SeedTest, TheFirstEpisodeHasTheSeedItself) {
  EXPECT_EQ(EpisodeSeed(123, 0), 123u);
  EXPECT_NE(EpisodeSeed(123, 1), EpisodeSeed(123, 2));
  EXPECT_NE(EpisodeSeed(123, 1), EpisodeSeed(124, 1));
}

}  // namespace
}  // namespace livnd::env
