#include "server/session/pace.h"

#include <chrono>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace livnd::server {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// A time to count from.
const Pace::Time kStart = Pace::Time() + std::chrono::hours(1);

TEST(PaceTest, FreeIsNeverDue) {
  Pace pace(0.0);
  EXPECT_EQ(pace.After(absl::Milliseconds(10), kStart), Pace::kPast);
}

TEST(PaceTest, StepsAreDueOneAfterTheOther) {
  Pace pace(1.0);
  // However long each takes to compute, as long as it is done in time.
  EXPECT_EQ(pace.After(absl::Milliseconds(10), kStart), kStart + milliseconds(10));
  EXPECT_EQ(pace.After(absl::Milliseconds(10), kStart + milliseconds(11)),
            kStart + milliseconds(20));
  EXPECT_EQ(pace.After(absl::Milliseconds(5), kStart + milliseconds(24)),
            kStart + milliseconds(25));
}

TEST(PaceTest, SpeedScales) {
  Pace twice(2.0);
  EXPECT_EQ(twice.After(absl::Milliseconds(10), kStart), kStart + milliseconds(5));
  Pace half(0.5);
  EXPECT_EQ(half.After(absl::Milliseconds(10), kStart), kStart + milliseconds(20));
}

TEST(PaceTest, WhatWasLateIsNotMadeUpFor) {
  Pace pace(1.0);
  pace.After(absl::Milliseconds(10), kStart);
  const Pace::Time late = kStart + milliseconds(33);
  EXPECT_EQ(pace.After(absl::Milliseconds(10), late), kStart + milliseconds(20));
  EXPECT_EQ(pace.After(absl::Milliseconds(10), late), late + milliseconds(10));
}

TEST(PaceTest, BeginsAnew) {
  Pace pace(1.0);
  pace.After(absl::Milliseconds(10), kStart);
  pace.BeginAnew();
  const Pace::Time later = kStart + std::chrono::seconds(5);
  EXPECT_EQ(pace.After(absl::Milliseconds(10), later), later + milliseconds(10));
}

TEST(PaceTest, ReportCountsEveryStepOnce) {
  Pace pace(1.0);
  pace.Tell(kStart, kStart - microseconds(5));  // told at once, since somebody was in a hurry
  pace.Tell(kStart, kStart + microseconds(99));
  pace.Tell(kStart, kStart + microseconds(100));
  pace.Tell(kStart, kStart + microseconds(1'500));
  pace.Tell(kStart, kStart + std::chrono::seconds(1));
  const v1::PaceReport report = pace.report();
  EXPECT_EQ(report.speed(), 1.0);
  EXPECT_EQ(report.num_steps(), 5);
  EXPECT_EQ(report.num_late(), 2);
  EXPECT_DOUBLE_EQ(report.mean_jitter_us(), (99.0 + 100.0 + 1'500.0 + 1e6) / 5.0);
  EXPECT_DOUBLE_EQ(report.max_jitter_us(), 1e6);
  ASSERT_EQ(report.jitter_counts_size(), report.jitter_bounds_us_size() + 1);
  EXPECT_EQ(report.jitter_counts(0), 2);
  EXPECT_EQ(report.jitter_counts(1), 1);
  EXPECT_EQ(report.jitter_counts(4), 1);
  EXPECT_EQ(report.jitter_counts(report.jitter_counts_size() - 1), 1);
}

}  // namespace
}  // namespace livnd::server
