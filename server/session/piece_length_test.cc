#include "server/session/piece_length.h"

#include "gtest/gtest.h"

namespace livnd::server {
namespace {

constexpr absl::Duration kWanted = absl::Milliseconds(2);

// Lets pieces of the pace's choice be done at a speed.
void Work(PieceLength& pace, absl::Duration tick, int num_pieces) {
  for (int i = 0; i < num_pieces; ++i) pace.Took(pace.ticks(), pace.ticks() * tick);
}

TEST(PieceLengthTest, FindsTheTicksThatTakeAsLongAsIsWanted) {
  for (const int64_t ns : {100, 1'000, 50'000, 1'000'000}) {
    PieceLength pace(kWanted);
    Work(pace, absl::Nanoseconds(ns), 10);
    EXPECT_EQ(pace.ticks(), kWanted / absl::Nanoseconds(ns)) << ns;
  }
}

TEST(PieceLengthTest, ATickThatTakesLongerIsAPieceOfItsOwn) {
  PieceLength pace(kWanted);
  Work(pace, absl::Milliseconds(30), 3);
  EXPECT_EQ(pace.ticks(), 1);
}

TEST(PieceLengthTest, FollowsWhatBecomesSlowerOrFaster) {
  PieceLength pace(kWanted);
  Work(pace, absl::Microseconds(1), 10);
  pace.Took(pace.ticks(), 100 * kWanted);
  EXPECT_EQ(pace.ticks(), 20);
  Work(pace, absl::Microseconds(1), 10);
  EXPECT_EQ(pace.ticks(), 2000);
}

TEST(PieceLengthTest, TheRestOfAnOperationMakesThePieceNoShorter) {
  PieceLength pace(kWanted);
  Work(pace, absl::Microseconds(1), 10);
  pace.Took(3, absl::Microseconds(300));
  pace.Took(0, absl::Microseconds(300));
  EXPECT_EQ(pace.ticks(), 2000);
}

TEST(PieceLengthTest, WhatIsWantedMayChange) {
  PieceLength pace(kWanted);
  Work(pace, absl::Microseconds(1), 10);
  pace.Want(4 * kWanted);
  EXPECT_EQ(pace.ticks(), 8000);
  Work(pace, absl::Microseconds(2), 10);
  EXPECT_EQ(pace.ticks(), 4000);
  pace.Want(kWanted);
  EXPECT_EQ(pace.ticks(), 1000);
  pace.Want(absl::Nanoseconds(1));
  EXPECT_EQ(pace.ticks(), 1);
}

TEST(PieceLengthTest, AShortPieceDoesNotPromiseALongOne) {
  PieceLength pace(kWanted);
  pace.Took(8, absl::ZeroDuration());
  EXPECT_EQ(pace.ticks(), 64);
}

}  // namespace
}  // namespace livnd::server
