#include "lab/work/shared_work.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <numeric>
#include <thread>

#include "gtest/gtest.h"
#include "sim/testing/executors.h"

namespace livnd::lab {
namespace {

size_t One(const std::deque<int64_t>&) { return 1; }

class Sharing : public testing::Test {
 protected:
  Sharing() {
    threads_.one_at_a_time = [this](absl::FunctionRef<void()> fn) {
      const std::lock_guard<std::mutex> locked(mu_);
      fn();
    };
    threads_.pause = [] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); };
    pieces_.resize(40);
    std::iota(pieces_.begin(), pieces_.end(), int64_t{0});
  }

  std::mutex mu_;
  WorkThreads threads_;
  std::vector<int64_t> pieces_;
};

TEST_F(Sharing, DoesEachPieceOnceWhoeverIsLost) {
  SharedWork work(pieces_, threads_);
  std::vector<int64_t> done;
  sim::ThreadsExecutor executor(4);
  executor.ParallelFor(4, [&](int worker) {
    int taken = 0;
    work.Serve(
        [&]() -> absl::StatusOr<bool> {
          if (worker == 3 && taken > 1) return absl::UnavailableError("gone");
          return true;
        },
        One,
        [&](const std::vector<int64_t>& pieces) -> absl::Status {
          if (worker > 0 && ++taken % 2 == 1) return absl::UnavailableError("lost");
          work.Exclusively([&] { done.insert(done.end(), pieces.begin(), pieces.end()); });
          return absl::OkStatus();
        });
  });
  EXPECT_TRUE(work.status().ok());
  std::sort(done.begin(), done.end());
  EXPECT_EQ(done, pieces_);
}

TEST_F(Sharing, TakesAsManyAsAskedInOrder) {
  SharedWork work(pieces_, threads_);
  std::vector<size_t> sizes;
  work.Serve([] { return true; },
             [](const std::deque<int64_t>& missing) { return missing.size() / 2; },
             [&](const std::vector<int64_t>& pieces) {
               sizes.push_back(pieces.size());
               return absl::OkStatus();
             });
  EXPECT_EQ(sizes, (std::vector<size_t>{20, 10, 5, 2, 1, 1, 1}));
  EXPECT_TRUE(work.status().ok());
}

TEST_F(Sharing, EndsWithTheFirstErrorAndWhenAllAreLost) {
  SharedWork wrong(pieces_, threads_);
  int num_done = 0;
  wrong.Serve([] { return true; }, One,
              [&](const std::vector<int64_t>&) {
                return ++num_done < 3 ? absl::OkStatus() : absl::InvalidArgumentError("wrong");
              });
  EXPECT_EQ(num_done, 3);
  EXPECT_EQ(wrong.status().message(), "wrong");
  SharedWork lost(pieces_, threads_);
  lost.Serve([]() -> absl::StatusOr<bool> { return absl::UnavailableError("away"); }, One,
             [](const std::vector<int64_t>&) { return absl::OkStatus(); });
  EXPECT_TRUE(absl::IsUnavailable(lost.status()));
}

}  // namespace
}  // namespace livnd::lab
