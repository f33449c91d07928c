#include "io/decoding/window.h"

#include <cstdint>
#include <limits>
#include <vector>

#include "base/field_error_matchers.h"
#include "gtest/gtest.h"
#include "io/decoding/bins.h"
#include "io/decoding/testing/decode.h"

namespace livnd::io {
namespace {

TEST(WindowTest, ErrorsNameTheField) {
  DecodingWindow window = WindowOf(6, 100.0, {{"A", 0, 4}, {"B", 4, 2}});
  EXPECT_TRUE(window.Validate().ok());
  window.groups[1].first = 3;
  EXPECT_THAT(window.Validate(), IsFieldError("window.groups[1].first", "3", "4 .. 5"));
  window.groups[1] = {"B", 4, 3};
  EXPECT_THAT(window.Validate(), IsFieldError("window.groups[1].count", "3", "1 .. 2"));
  window = WindowOf(0, 100.0);
  EXPECT_THAT(window.Validate(), IsFieldError("window.num_units", "0", "1 .. 1048576"));
  window = WindowOf(1, 0.0);
  EXPECT_THAT(window.Validate(), IsFieldError("window.num_ticks", "0", "1 .. 1099511627776"));
  window = WindowOf(1, 1.0);
  window.tick_ms = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(window.Validate(), IsFieldError("window.tick_ms", "nan", "1e-06 .. 1000"));
}

TEST(WindowTest, GroupsAreFoundByUnit) {
  const DecodingWindow window = WindowOf(10, 100.0, {{"A", 1, 2}, {"B", 5, 3}});
  std::vector<int64_t> groups;
  for (int64_t u = 0; u < 10; ++u) groups.push_back(window.GroupOf(u));
  EXPECT_EQ(groups, (std::vector<int64_t>{-1, 0, 0, -1, -1, 1, 1, 1, -1, -1}));
}

TEST(WindowTest, SpikesOutsideOrOutOfOrderAreRefused) {
  const DecodingWindow window = WindowOf(2, 1.0);  // 40 ticks
  EXPECT_TRUE(CheckSpikes(window, {{0, 0}, {1, 0}, {1, 39}}).ok());
  EXPECT_THAT(CheckSpikes(window, {{0, 0}, {2, 1}}), IsFieldError("spikes[1].unit", "2", "0 .. 1"));
  EXPECT_THAT(CheckSpikes(window, {{-1, 0}}), IsFieldError("spikes[0].unit", "-1", "0 .. 1"));
  EXPECT_THAT(CheckSpikes(window, {{0, 40}}),
              IsFieldError("spikes[0].tick", "40", "0 .. 39, none before the last spike"));
  EXPECT_THAT(CheckSpikes(window, {{0, 7}, {0, 6}}),
              IsFieldError("spikes[1].tick", "6", "7 .. 39, none before the last spike"));
}

// 0.3 / 0.1 is below 3 in doubles, and 0.025 has no finite binary form.
TEST(WindowTest, QuotientsThatRoundingMovedAreWhole) {
  EXPECT_EQ(WholeBelow(0.3 / 0.1), 3.0);
  EXPECT_EQ(WholeAbove(0.3 / 0.1), 3.0);
  EXPECT_EQ(WholeBelow(2.999), 2.0);
  EXPECT_EQ(WholeAbove(2.001), 3.0);
  const DecodingWindow window = WindowOf(1, 1000.0);
  for (int64_t tick = 0; tick < 40000; ++tick) {
    ASSERT_EQ(window.FirstTickAt(static_cast<double>(tick) * 0.025), tick);
    ASSERT_EQ(window.FirstTickAt((static_cast<double>(tick) - 0.5) * 0.025), tick);
  }
}

TEST(WindowTest, BinsFillTheWindow) {
  const Bins even = Bins::Of(WindowOf(1, 100.0), 20.0);
  EXPECT_EQ(even.num, 5);
  EXPECT_EQ(even.width_ms, 20.0);
  EXPECT_EQ(even.IndexOf(799), 0u);
  EXPECT_EQ(even.IndexOf(800), 1u);
  EXPECT_EQ(even.IndexOf(3999), 4u);
  const Bins wide = Bins::Of(WindowOf(1, 250.0), 100.0);
  EXPECT_EQ(wide.num, 2);
  EXPECT_EQ(wide.width_ms, 125.0);
  EXPECT_EQ(Bins::Of(WindowOf(1, 10.0), 100.0, 2).num, 2);
}

TEST(WindowTest, MedianOfEvenAndOdd) {
  std::vector<double> odd = {5, 1, 3};
  EXPECT_EQ(Median(absl::MakeSpan(odd)), 3.0);
  std::vector<double> even = {4, 1, 3, 2};
  EXPECT_EQ(Median(absl::MakeSpan(even)), 2.5);
  EXPECT_EQ(MedianDeviation(absl::MakeSpan(even), 2.5), 1.0);
}

}  // namespace
}  // namespace livnd::io
