#include "sim/network/spike_history.h"

#include <cstdint>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace livnd::sim {
namespace {

constexpr int kStride = 3;

class SpikeHistoryTest : public testing::TestWithParam<int> {
 protected:
  SpikeHistoryTest() : variables_(kStride * SpikeHistory<double>::NumVariables(GetParam()), 0.0) {
    variables_[0] = SpikeHistory<double>::kNever;
  }
  SpikeHistory<double> History() { return {variables_.data(), kStride, GetParam()}; }
  std::vector<int64_t> From(int64_t first) {
    std::vector<int64_t> ticks;
    const SpikeHistory<const double> history(variables_.data(), kStride, GetParam());
    history.ForEachFrom(first, [&](int64_t tick) { ticks.push_back(tick); });
    return ticks;
  }
  std::vector<double> variables_;
};

TEST_P(SpikeHistoryTest, NothingBeforeTheFirstSpike) {
  EXPECT_TRUE(From(0).empty());
  EXPECT_TRUE(From(-1000).empty());
  History().Record(0);
  EXPECT_EQ(From(0), std::vector<int64_t>{0});
  EXPECT_EQ(From(-5), std::vector<int64_t>{0});
  EXPECT_TRUE(From(1).empty());
}

// Runs of spikes in every step, sparse ones, and pauses longer than the window.
TEST_P(SpikeHistoryTest, KeepsEverySpikeOfTheWindow) {
  const int window = GetParam();
  for (const uint32_t every : {1u, 2u, 7u, 100u, 5000u}) {
    std::mt19937 random(every);
    variables_.assign(variables_.size(), 0.0);
    variables_[0] = SpikeHistory<double>::kNever;
    std::vector<int64_t> all;
    for (int64_t tick = 0; tick < 20000; ++tick) {
      if (random() % every == 0 && (tick / 900) % 3 != 1) {
        History().Record(tick);
        all.push_back(tick);
        EXPECT_EQ(History().last(), static_cast<double>(tick));
      }
      if (tick % 13 != 0) continue;
      // Before the step after this one, a row of the longest delay asks so far back.
      const int64_t first = tick + 1 - window;
      std::vector<int64_t> expected;
      for (int64_t t : all) {
        if (t >= first) expected.push_back(t);
      }
      ASSERT_EQ(From(first), expected) << "window " << window << " tick " << tick;
    }
    EXPECT_FALSE(all.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(Windows, SpikeHistoryTest, testing::Values(0, 1, 3, 51, 52, 53, 120, 573));

// A cell that restarts in the past leaves nothing behind: its variables are loaded whole.
TEST(SpikeHistoryStateTest, TheVariablesAreAFunctionOfTheSpikesInTheWindow) {
  constexpr int kWindow = 120;
  std::vector<double> a(SpikeHistory<double>::NumVariables(kWindow), 0.0);
  a[0] = SpikeHistory<double>::kNever;
  std::vector<double> b = a;
  for (const int64_t tick : {5, 6, 70}) SpikeHistory<double>(a.data(), 1, kWindow).Record(tick);
  for (const int64_t tick : {9000, 9001, 9100}) {
    SpikeHistory<double>(a.data(), 1, kWindow).Record(tick);
    SpikeHistory<double>(b.data(), 1, kWindow).Record(tick);
  }
  EXPECT_EQ(a, b);
}

}  // namespace
}  // namespace livnd::sim
