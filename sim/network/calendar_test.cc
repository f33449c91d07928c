#include "sim/network/calendar.h"

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace livnd::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::pair<double, uint32_t>> Take(Calendar& calendar, int64_t step) {
  std::vector<std::pair<double, uint32_t>> out;
  for (const Event& e : calendar.Take(step)) out.emplace_back(e.time_ms, e.row);
  return out;
}

TEST(CalendarTest, GivesEventsByTimeAndThenByRowWhateverTheOrderOfArrival) {
  std::vector<Event> events = {{1.0, 7, 0}, {1.0, 2, 0}, {0.99, 9, 0}, {1.01, 0, 0}, {1.0, 5, 0}};
  std::mt19937 random(1);
  for (int i = 0; i < 50; ++i) {
    std::shuffle(events.begin(), events.end(), random);
    Calendar calendar(10);
    for (const Event& e : events) calendar.Push(40, e);
    EXPECT_THAT(Take(calendar, 40),
                ElementsAre(std::pair(0.99, 9u), std::pair(1.0, 2u), std::pair(1.0, 5u),
                            std::pair(1.0, 7u), std::pair(1.01, 0u)));
  }
}

TEST(CalendarTest, KeepsEachEventForItsStep) {
  for (const int longest : {0, 1, 2, 7, 8, 100}) {
    Calendar calendar(longest);
    // A steady stream: at each step one event for every delay up to the longest.
    for (int64_t now = 0; now < 300; ++now) {
      const auto got = Take(calendar, now);
      EXPECT_EQ(got.size(), static_cast<size_t>(std::min<int64_t>(now, longest)));
      for (const auto& [time, row] : got) EXPECT_EQ(time, static_cast<double>(now));
      for (int delay = 1; delay <= longest; ++delay) {
        calendar.Push(now + delay,
                      {static_cast<double>(now + delay), static_cast<uint32_t>(delay), 0});
      }
    }
  }
}

TEST(CalendarTest, IsEmptyAfterClear) {
  Calendar calendar(5);
  for (int step = 0; step < 5; ++step) calendar.Push(step, {1.0, 1, 0});
  calendar.Clear();
  for (int step = 0; step < 8; ++step) EXPECT_THAT(Take(calendar, step), IsEmpty());
}

TEST(CalendarTest, ForgetsTheEventsOfOneCopy) {
  Calendar calendar(20);
  for (uint32_t row = 0; row < 30; ++row) {
    calendar.Push(row % 7, {1.0, row, static_cast<int32_t>(row % 3)});
  }
  calendar.RemoveCopies([](int32_t copy) { return copy == 1; });
  // What was forgotten makes room for others.
  for (uint32_t row = 100; row < 110; ++row) calendar.Push(row % 7, {1.0, row, 1});
  std::vector<uint32_t> rows;
  for (int step = 0; step < 7; ++step) {
    for (const auto& event : Take(calendar, step)) {
      EXPECT_EQ(event.second % 7, static_cast<uint32_t>(step));
      rows.push_back(event.second);
    }
  }
  std::sort(rows.begin(), rows.end());
  std::vector<uint32_t> expected;
  for (uint32_t row = 0; row < 30; ++row) {
    if (row % 3 != 1) expected.push_back(row);
  }
  for (uint32_t row = 100; row < 110; ++row) expected.push_back(row);
  EXPECT_EQ(rows, expected);
}

}  // namespace
}  // namespace livnd::sim
