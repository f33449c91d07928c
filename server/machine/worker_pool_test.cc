#include "server/machine/worker_pool.h"

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace livnd::server {
namespace {

TEST(WorkerPoolTest, RunsEverySubmittedTaskBeforeItIsDestroyed) {
  std::atomic<int> num_run{0};
  {
    WorkerPool pool(3);
    for (int i = 0; i < 1000; ++i) pool.Submit([&] { ++num_run; });
  }
  EXPECT_EQ(num_run, 1000);
}

TEST(WorkerPoolTest, TasksStartInOrderOfSubmission) {
  std::vector<int> order;
  {
    WorkerPool pool(1);
    for (int i = 0; i < 100; ++i) pool.Submit([&order, i] { order.push_back(i); });
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[i], i);
}

TEST(WorkerPoolTest, ParallelForCallsEachPieceOnce) {
  WorkerPool pool(4);
  for (const int n : {0, 1, 2, 3, 4, 5, 63, 1000}) {
    std::vector<std::atomic<int>> calls(n);
    pool.ParallelFor(n, [&](int i) { ++calls[i]; });
    for (int i = 0; i < n; ++i) EXPECT_EQ(calls[i], 1) << i << " of " << n;
  }
}

TEST(WorkerPoolTest, ParallelForUsesIdleWorkers) {
  WorkerPool pool(3);
  // Three pieces that wait for each other only end if they run side by side. The caller is one of
  // them.
  std::atomic<int> here{0};
  pool.ParallelFor(3, [&](int) {
    ++here;
    while (here < 3) std::this_thread::yield();
  });
}

TEST(WorkerPoolTest, ParallelForNeverRunsMorePiecesThanItsConcurrency) {
  WorkerPool pool(2);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  pool.ParallelFor(200, [&](int) {
    const int now = ++inside;
    int seen = most;
    while (seen < now && !most.compare_exchange_weak(seen, now)) {
    }
    std::this_thread::yield();
    --inside;
  });
  EXPECT_LE(most, pool.concurrency());
}

TEST(WorkerPoolTest, ParallelForEndsWhileAllOtherWorkersAreBusy) {
  WorkerPool pool(2);
  std::promise<void> release;
  std::promise<void> looped;
  pool.Submit([&] { release.get_future().wait(); });
  pool.Submit([&] {
    std::atomic<int> pieces{0};
    pool.ParallelFor(50, [&](int) { ++pieces; });
    EXPECT_EQ(pieces, 50);
    looped.set_value();
  });
  looped.get_future().wait();
  release.set_value();
}

TEST(WorkerPoolTest, LoopsInAllWorkersAtOnceAndNestedLoopsEnd) {
  std::atomic<int> pieces{0};
  {
    WorkerPool pool(4);
    for (int task = 0; task < 64; ++task) {
      pool.Submit(
          [&] { pool.ParallelFor(8, [&](int) { pool.ParallelFor(4, [&](int) { ++pieces; }); }); });
    }
  }
  EXPECT_EQ(pieces, 64 * 8 * 4);
}

TEST(WorkerPoolTest, ALoopsWritesAreSeenByItsCaller) {
  WorkerPool pool(4);
  for (int round = 0; round < 500; ++round) {
    std::vector<int> values(16, 0);  // not atomic: the thread sanitizer would object
    pool.ParallelFor(16, [&](int i) { values[i] = round + i; });
    for (int i = 0; i < 16; ++i) ASSERT_EQ(values[i], round + i);
  }
}

TEST(WorkerPoolTest, IsIdleOnlyWithoutTasks) {
  WorkerPool pool(1);
  EXPECT_TRUE(pool.idle());
  std::promise<void> release;
  pool.Submit([&] { release.get_future().wait(); });
  EXPECT_FALSE(pool.idle());
  release.set_value();
  while (!pool.idle()) std::this_thread::yield();
}

TEST(WorkerPoolTest, WhatRunsAsideAndWhatDoesNotLeaveEachOtherAlone) {
  WorkerPool pool(1, 1);
  for (const bool aside : {false, true}) {
    std::promise<void> release, ran;
    const auto block = [&] { release.get_future().wait(); };
    const auto run = [&] { ran.set_value(); };
    if (aside) {
      pool.SubmitAside(block);
      pool.Submit(run);
    } else {
      pool.Submit(block);
      pool.SubmitAside(run);
    }
    ran.get_future().wait();
    EXPECT_FALSE(pool.idle());
    release.set_value();
    while (!pool.idle()) std::this_thread::yield();
  }
}

TEST(WorkerPoolTest, OnlyTasksForWorkersAreSaidToWait) {
  WorkerPool pool(1, 1);
  std::promise<void> release;
  const std::shared_future<void> until = release.get_future().share();
  for (int i = 0; i < 2; ++i) pool.SubmitAside([until] { until.wait(); });
  EXPECT_FALSE(pool.TasksWait());
  std::promise<void> begun;
  pool.Submit([until, &begun] {
    begun.set_value();
    until.wait();
  });
  begun.get_future().wait();
  EXPECT_FALSE(pool.TasksWait());
  pool.Submit([] {});
  EXPECT_TRUE(pool.TasksWait());
  release.set_value();
}

TEST(WorkerPoolTest, WhatTasksSubmitAcrossIsRunBeforeItIsDestroyed) {
  std::atomic<int> num_run{0};
  std::function<void()> next;
  {
    WorkerPool pool(2, 2);
    next = [&] {
      const int n = ++num_run;
      if (n == 1000) return;
      if (n % 2 == 0) {
        pool.Submit([&] { next(); });
      } else {
        pool.SubmitAside([&] { next(); });
      }
    };
    pool.Submit([&] { next(); });
  }
  EXPECT_EQ(num_run, 1000);
}

}  // namespace
}  // namespace livnd::server
