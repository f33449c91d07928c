#include "server/machine/memory_budget.h"

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace livnd::server {
namespace {

TEST(MemoryBudgetTest, GivesNoMoreThanThereIs) {
  MemoryBudget budget(1000);
  auto a = budget.TryReserve(MemoryUse::kRequests, 600);
  ASSERT_TRUE(a.has_value());
  EXPECT_FALSE(budget.TryReserve(MemoryUse::kAnswers, 401).has_value());
  auto b = budget.TryReserve(MemoryUse::kAnswers, 400);
  ASSERT_TRUE(b.has_value());
  EXPECT_EQ(budget.used(), 1000);
  EXPECT_EQ(budget.used(MemoryUse::kRequests), 600);
  EXPECT_EQ(budget.used(MemoryUse::kAnswers), 400);
  EXPECT_EQ(budget.RoomFor(MemoryUse::kWork, 1), 0);
  EXPECT_EQ(budget.num_refusals(), 1);
}

TEST(MemoryBudgetTest, GetsItBackAtTheEnd) {
  MemoryBudget budget(1000);
  {
    auto a = budget.TryReserve(MemoryUse::kSessions, 1000);
    ASSERT_TRUE(a.has_value());
    MemoryBudget::Reservation moved = *std::move(a);
    EXPECT_EQ(budget.used(), 1000);
    moved = budget.Reserve(MemoryUse::kWork, 10);
    EXPECT_EQ(budget.used(MemoryUse::kSessions), 0);
    EXPECT_EQ(budget.used(), 10);
  }
  EXPECT_EQ(budget.used(), 0);
}

TEST(MemoryBudgetTest, Resizes) {
  MemoryBudget budget(1000);
  auto a = budget.TryReserve(MemoryUse::kSessions, 100);
  EXPECT_TRUE(a->TryResize(1000));
  EXPECT_FALSE(a->TryResize(1001));
  EXPECT_EQ(a->bytes(), 1000);
  EXPECT_TRUE(a->TryResize(10));
  EXPECT_EQ(budget.used(), 10);
  a->Resize(2000);  // what it has turned out to be
  EXPECT_EQ(budget.used(), 2000);
  EXPECT_EQ(budget.RoomFor(MemoryUse::kWork, 0), 0);
  EXPECT_FALSE(budget.TryReserve(MemoryUse::kWork, 0).has_value());
  a->Resize(0);
  EXPECT_EQ(budget.RoomFor(MemoryUse::kWork, 0), 1000);
}

TEST(MemoryBudgetTest, LeavesSomeForSmallCalls) {
  MemoryBudget budget(10'000, 1280);
  EXPECT_FALSE(budget.TryReserve(MemoryUse::kRequests, 8721).has_value());
  auto large = budget.TryReserve(MemoryUse::kRequests, 8720);
  ASSERT_TRUE(large.has_value());
  EXPECT_FALSE(budget.TryReserve(MemoryUse::kWork, 11).has_value());
  EXPECT_EQ(budget.RoomFor(MemoryUse::kWork, 11), 0);
  auto small = budget.TryReserve(MemoryUse::kWork, 10);
  ASSERT_TRUE(small.has_value());
  EXPECT_FALSE(small->TryResize(11));  // no more by small steps
  EXPECT_FALSE(budget.TryReserve(MemoryUse::kSessions, 1).has_value());
  EXPECT_EQ(budget.RoomFor(MemoryUse::kWork, 10), 1270);
}

TEST(MemoryBudgetTest, WhatNobodyCanHaveIsRefused) {
  MemoryBudget budget;
  EXPECT_FALSE(budget.TryReserve(MemoryUse::kWork, -1).has_value());
  EXPECT_FALSE(budget.TryReserve(MemoryUse::kWork, MemoryBudget::kNoLimit + 1).has_value());
}

TEST(MemoryBudgetTest, CountsOnManyThreads) {
  MemoryBudget budget(100);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&budget] {
      for (int i = 0; i < 20'000; ++i) {
        auto a = budget.TryReserve(MemoryUse::kWork, 60);
        EXPECT_LE(budget.used(), 100);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget.used(), 0);
  EXPECT_EQ(budget.used(MemoryUse::kWork), 0);
}

TEST(MemoryBudgetTest, ByDefaultWhatTheMachineHasLessAReserve) {
  std::string root = ::testing::TempDir() + "/machine-XXXXXX";
  ASSERT_NE(mkdtemp(root.data()), nullptr);
  const auto write = [&](const std::string& path, const std::string& text) {
    const std::filesystem::path file = root + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  };
  write("/proc/meminfo", "MemTotal:       10485760 kB\nMemFree:        1 kB\n");
  EXPECT_EQ(DefaultMemoryBudget(root), int64_t{8} << 30);
  write("/proc/self/cgroup", "0::/\n");
  write("/proc/self/mountinfo", "24 31 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  write("/sys/fs/cgroup/memory.max", "1073741824\n");
  EXPECT_EQ(DefaultMemoryBudget(root), (int64_t{1} << 30) - (int64_t{256} << 20));
  write("/sys/fs/cgroup/memory.max", "1000\n");
  EXPECT_EQ(DefaultMemoryBudget(root), int64_t{256} << 20);
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace livnd::server
