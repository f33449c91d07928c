#include "server/machine/timer.h"

#include <chrono>
#include <future>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "server/machine/mutex.h"

namespace livnd::server {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(TimerTest, CallsInTheOrderOfTimesAndNotBefore) {
  Timer timer;
  const Timer::Clock::time_point start = Timer::Clock::now();
  std::vector<int> order;  // the timer's thread writes, and the promise says when it has
  std::promise<Timer::Clock::time_point> last;
  timer.At(start + milliseconds(40), [&] {
    order.push_back(2);
    last.set_value(Timer::Clock::now());
  });
  timer.At(start + milliseconds(20), [&] { order.push_back(1); });
  timer.At(start - hours(1), [&] { order.push_back(0); });
  EXPECT_GE(last.get_future().get(), start + milliseconds(40));
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2}));
}

TEST(TimerTest, HurryWaitsForNoTime) {
  Timer timer;
  std::promise<void> before, after;
  timer.At(Timer::Clock::now() + hours(1), [&] { before.set_value(); });
  timer.Hurry();
  before.get_future().get();
  timer.At(Timer::Clock::now() + hours(1), [&] { after.set_value(); });
  after.get_future().get();
}

TEST(TimerTest, TheEndLeavesNothingUncalled) {
  int called = 0;
  {
    Timer timer;
    for (int i = 0; i < 3; ++i) timer.At(Timer::Clock::now() + hours(i), [&] { ++called; });
  }
  EXPECT_EQ(called, 3);
}

}  // namespace
}  // namespace livnd::server
