#include "server/machine/strand.h"

#include <atomic>
#include <future>
#include <memory>
#include <string>
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
    for (int i = 0; i < 2000; ++i)
      strand->Post([&order, i](Bid) {
        order.push_back(i);
        return Turn::kOver;
      });
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
          strand->Post([&](Bid) {
            if (++inside > 1) ++overlaps;
            ++num_run;
            --inside;
            return Turn::kOver;
          });
        }
      });
    }
    for (std::thread& poster : posters) poster.join();
  }
  EXPECT_EQ(overlaps, 0);
  EXPECT_EQ(num_run, 2000);
}

TEST(StrandTest, AShortTurnIsTakenWhereItIsPosted) {
  const std::thread::id here = std::this_thread::get_id();
  WorkerPool pool(2);
  const std::shared_ptr<Strand> strand = Strand::Create(pool);
  std::vector<std::thread::id> turns;
  std::promise<void> over;
  strand->Post(
      [&](Bid) {
        turns.push_back(std::this_thread::get_id());
        if (turns.size() < 3) return Turn::kAgain;
        over.set_value();
        return Turn::kOver;
      },
      Strand::First::kHere);
  over.get_future().wait();
  // What is longer than it seemed goes on where everything else does.
  EXPECT_EQ(turns[0], here);
  EXPECT_NE(turns[1], here);
  EXPECT_NE(turns[2], here);
}

TEST(StrandTest, AShortTurnWaitsForTheTasksBefore) {
  WorkerPool pool(2);
  const std::shared_ptr<Strand> strand = Strand::Create(pool);
  std::vector<int> order;
  std::promise<void> begun, go, over;
  strand->Post([&](Bid) {
    begun.set_value();
    go.get_future().wait();
    order.push_back(1);
    return Turn::kOver;
  });
  begun.get_future().wait();
  strand->Post(
      [&](Bid) {
        order.push_back(2);
        over.set_value();
        return Turn::kOver;
      },
      Strand::First::kHere);
  go.set_value();
  over.get_future().wait();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(StrandTest, AShortTurnPushesInFrontOfNobody) {
  WorkerPool pool(1);
  std::promise<void> begun, go;
  pool.Submit([&] {
    begun.set_value();
    go.get_future().wait();
  });
  begun.get_future().wait();
  std::atomic<bool> other{false};
  pool.Submit([&] { other = true; });  // waits for the worker
  const std::shared_ptr<Strand> strand = Strand::Create(pool);
  std::promise<bool> after_other;
  strand->Post(
      [&](Bid) {
        after_other.set_value(other);
        return Turn::kOver;
      },
      Strand::First::kHere);
  go.set_value();
  EXPECT_TRUE(after_other.get_future().get());
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
  strand.Post([owner = std::move(owner), &ran](Bid) mutable {
    owner.reset();
    ran = true;
    return Turn::kOver;
  });
  while (!ran) std::this_thread::yield();
}

// Keeps the workers of a pool busy until it goes.
class Blocker {
 public:
  explicit Blocker(WorkerPool& pool) {
    for (int i = 0; i < pool.concurrency(); ++i) {
      pool.Submit([until = until_] { until.wait(); });
    }
  }
  ~Blocker() { release_.set_value(); }

 private:
  std::promise<void> release_;
  std::shared_future<void> until_ = release_.get_future().share();
};

TEST(StrandTest, ALongTaskTakesTurnsWithOtherStrands) {
  std::string order;
  {
    WorkerPool pool(1);
    const auto blocker = std::make_unique<Blocker>(pool);
    const std::shared_ptr<Strand> a = Strand::Create(pool), b = Strand::Create(pool);
    a->Post([&order, turns = 0](Bid) mutable {
      order += 'a';
      return ++turns < 6 ? Turn::kAgain : Turn::kOver;
    });
    for (int i = 0; i < 3; ++i) {
      b->Post([&order](Bid) {
        order += 'b';
        return Turn::kOver;
      });
    }
  }
  EXPECT_EQ(order, "abababaaa");
}

TEST(StrandTest, WhatIsPostedWaitsForTheLastTurn) {
  std::string order;
  {
    WorkerPool pool(2);
    const auto blocker = std::make_unique<Blocker>(pool);
    const std::shared_ptr<Strand> strand = Strand::Create(pool), other = Strand::Create(pool);
    strand->Post([&order, turns = 0](Bid) mutable {
      order += 'a';
      ++turns;
      return turns == 3 ? Turn::kAside : turns < 5 ? Turn::kAgain : Turn::kOver;
    });
    strand->Post([&order](Bid) {
      order += 'b';
      return Turn::kOver;
    });
    for (int i = 0; i < 20; ++i) other->Post([](Bid) { return Turn::kOver; });
  }
  EXPECT_EQ(order, "aaaaab");
}

TEST(StrandTest, ATurnAsideHoldsNoWorker) {
  WorkerPool pool(1);
  std::promise<void> aside, release, ran, over;
  const std::shared_ptr<Strand> long_one = Strand::Create(pool), other = Strand::Create(pool);
  long_one->Post([&, turns = 0](Bid) mutable {
    if (++turns == 1) return Turn::kAside;
    if (turns == 2) {
      aside.set_value();
      release.get_future().wait();
      return Turn::kAgain;
    }
    over.set_value();
    return Turn::kOver;
  });
  aside.get_future().wait();
  other->Post([&](Bid) {
    ran.set_value();
    return Turn::kOver;
  });
  ran.get_future().wait();
  release.set_value();
  over.get_future().wait();
}

TEST(StrandTest, AClosedStrandFinishesWhatItHasBegunAndSendsTheRestAway) {
  std::string order;  // of calls that come one after the other
  {
    WorkerPool pool(1);
    const std::shared_ptr<Strand> strand = Strand::Create(pool);
    const auto waiting = [&order](char name) {
      return [&order, name](Bid bid) {
        order += bid == Bid::kGo ? name : '!';
        return Turn::kAgain;  // of no matter to who is sent away
      };
    };
    std::promise<void> begun, release;
    strand->Post([&, turns = 0](Bid bid) mutable {
      EXPECT_EQ(bid, Bid::kTurn);
      if (++turns == 1) {
        begun.set_value();
        release.get_future().wait();
      }
      order += 'a';
      return turns < 3 ? Turn::kAgain : Turn::kOver;
    });
    strand->Post(waiting('b'));
    strand->Post(waiting('c'));
    begun.get_future().wait();
    strand->Close();  // called from here: before the first turn of 'a' is over
    EXPECT_EQ(order, "bc");
    strand->Post(waiting('d'));
    EXPECT_EQ(order, "bcd");
    release.set_value();
  }
  EXPECT_EQ(order, "bcdaaa");
}

TEST(StrandTest, AStrandMayBeClosedWhileItWaitsForAWorker) {
  int num_gone = 0;
  {
    WorkerPool pool(1);
    const auto blocker = std::make_unique<Blocker>(pool);
    const std::shared_ptr<Strand> strand = Strand::Create(pool);
    for (int i = 0; i < 3; ++i) {
      strand->Post([&](Bid bid) {
        num_gone += bid == Bid::kGo ? 1 : 100;
        return Turn::kOver;
      });
    }
    strand->Close();
    EXPECT_EQ(num_gone, 3);
  }
  EXPECT_EQ(num_gone, 3);
}

}  // namespace
}  // namespace livnd::server
