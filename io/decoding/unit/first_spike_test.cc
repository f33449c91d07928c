#include "io/decoding/unit/first_spike.h"

#include <vector>

#include "base/field_error_matchers.h"
#include "gtest/gtest.h"
#include "io/decoding/testing/decode.h"

namespace livnd::io {
namespace {

TEST(FirstSpikeTest, UnitsThatDoNotFireAreAsLateAsCanBe) {
  const auto decoded = Decode("first_spike", WindowOf(3, 50.0), {2, 0, 2}, {12.5, 0, 3.25});
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->at("latency_ms"), (std::vector<double>{0.0, 50.0, 3.25}));
  const auto other = Decode("{name: first_spike, none_ms: 99}", WindowOf(3, 50.0), {2}, {12.5});
  EXPECT_EQ(other->at("latency_ms"), (std::vector<double>{99.0, 99.0, 12.5}));
}

TEST(FirstSpikeTest, AChannelWinsByTheMeanOfItsUnitsThatFire) {
  // Channel 0: counts 1 and 0, mean of those that fire 1. Channel 1: 2 and 1, mean 1.5.
  const auto decoded =
      Decode("{name: first_spike_action, channels: [[0, 1], [2, 3]], low: 0, high: 10}",
             WindowOf(4, 100.0), {0, 2, 3, 2}, {5, 40, 30, 50});
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_DOUBLE_EQ(decoded->at("action")[0], 3.0);
  // One busy cell beats two that fire less.
  const auto busy = Decode("{name: first_spike_action, channels: [[0], [1, 2]], low: 0, high: 10}",
                           WindowOf(3, 100.0), {0, 0, 1, 2, 1}, {60, 61, 5, 6, 90});
  EXPECT_DOUBLE_EQ(busy->at("action")[0], 6.0);
  // The first of equal ones.
  const auto equal =
      Decode("{name: first_spike_action, low: 0, high: 10}", WindowOf(2, 100.0), {1, 0}, {10, 20});
  EXPECT_DOUBLE_EQ(equal->at("action")[0], 2.0);
}

TEST(FirstSpikeTest, ChannelsAreOfUnitsThatThereAre) {
  EXPECT_THAT(
      MakeOfText("{name: first_spike_action, channels: [[0], [4]]}", WindowOf(4, 100.0)).status(),
      IsFieldError("channels[1][0]", "4", "a unit, 0 .. 3"));
  EXPECT_THAT(
      MakeOfText("{name: first_spike_action, channels: [[0.5]]}", WindowOf(4, 100.0)).status(),
      IsFieldError("channels[0][0]", "0.5", "a unit, 0 .. 3"));
}

}  // namespace
}  // namespace livnd::io
