#include "io/decoding/spike_counts.h"

#include <vector>

#include "gtest/gtest.h"

namespace livnd::io {
namespace {

TEST(SpikeCountsTest, EveryElectrodeInReachHearsASpikeAndOthersDoNot) {
  const SpikeCounts decoding({{7, 8}, {}, {8}});
  ASSERT_EQ(decoding.num_electrodes(), 3);
  std::vector<double> counts(3, 0.0);
  decoding.Count({{0, 7, 10}, {0, 8, 10}, {0, 8, 90}, {0, 9, 91}}, absl::MakeSpan(counts));
  EXPECT_EQ(counts, (std::vector<double>{3, 0, 2}));
}

TEST(SpikeCountsTest, CountsAreAddedToWhatIsThere) {
  const SpikeCounts decoding(std::vector<std::vector<uint32_t>>{{1}});
  std::vector<double> counts = {5.0};
  decoding.Count({{3, 1, 0}}, absl::MakeSpan(counts));
  decoding.Count({}, absl::MakeSpan(counts));
  EXPECT_EQ(counts, std::vector<double>{6.0});
}

}  // namespace
}  // namespace livnd::io
