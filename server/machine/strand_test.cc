#include "server/machine/strand.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace livnd::server {
namespace {

TEST(StrandTest, RunsTasksOneAfterTheOtherInOrder) {
  std::vector<int> order;  // not guarded: the strand is what guards it
  {
    WorkerPool pool(4);
    const std::shared_ptr<Strand> strand = Strand::Create(pool);
    for (int i = 0; i < 2000; ++i) strand->Post([&order, i] { order.push_back(i); });
  }
  ASSERT_EQ(order.size(), 2000u);
  for (int i = 0; i < 2000; ++i) EXPECT_EQ(order[i], i);
}

TEST(StrandTest, TasksPostedFromManyThreadsDoNotOverlap) {
  std::atomic<int> inside{0};
  std::atomic<int> overlaps{0};
  int num_run = 0;
  {
    WorkerPool pool(4);
    const std::shared_ptr<Strand> strand = Strand::Create(pool);
    std::vector<std::thread> posters;
    for (int t = 0; t < 4; ++t) {
      posters.emplace_back([&] {
        for (int i = 0; i < 500; ++i) {
          strand->Post([&] {
            if (++inside > 1) ++overlaps;
            ++num_run;
            --inside;
          });
        }
      });
    }
    for (std::thread& poster : posters) poster.join();
  }
  EXPECT_EQ(overlaps, 0);
  EXPECT_EQ(num_run, 2000);
}

TEST(StrandTest, MayBeLetGoByItsOwnTask) {
  WorkerPool pool(2);
  struct Owner {
    std::shared_ptr<Strand> strand;
  };
  auto owner = std::make_shared<Owner>();
  owner->strand = Strand::Create(pool);
  Strand& strand = *owner->strand;
  std::atomic<bool> ran{false};
  strand.Post([owner = std::move(owner), &ran]() mutable {
    owner.reset();
    ran = true;
  });
  while (!ran) std::this_thread::yield();
}

}  // namespace
}  // namespace livnd::server
