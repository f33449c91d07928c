#include "sim/gang/epochs.h"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace livnd::sim {
namespace {

// A run of epochs in which every slice reads what all slices of the epoch before wrote.
class Sums {
 public:
  Sums(int num_slices, int num_epochs)
      : epochs_(num_slices),
        num_epochs_(num_epochs),
        values_(num_slices, 1),
        next_(num_slices, 0) {}

  void Start(int64_t max_pauses) {
    epochs_.Start(max_pauses);
    ++num_starts_;
  }
  void Work(int worker) {
    epochs_.Work(
        worker, [this](int slice) { Run(slice); }, [this] { return Close(); });
  }

  void ExpectDone() const {
    EXPECT_EQ(num_closed_, num_epochs_ * num_starts_);
    uint64_t expected = 1;
    const auto n = static_cast<uint64_t>(values_.size());
    for (int64_t e = 0; e < num_closed_; ++e) expected = expected * n + 1;
    for (uint64_t v : values_) EXPECT_EQ(v, expected);
    EXPECT_FALSE(overlapped_);
  }

 private:
  void Run(int slice) {
    uint64_t sum = 1;
    for (uint64_t v : values_) sum += v;
    next_[slice] = sum;
  }
  bool Close() {
    if (closing_.exchange(true)) overlapped_ = true;
    values_ = next_;
    ++num_closed_;
    closing_ = false;
    return num_closed_ % num_epochs_ != 0;
  }

  Epochs epochs_;
  const int64_t num_epochs_;
  int64_t num_starts_ = 0, num_closed_ = 0;
  std::vector<uint64_t> values_, next_;
  std::atomic<bool> closing_{false};
  std::atomic<bool> overlapped_{false};
};

TEST(EpochsTest, OneThreadGetsToTheEndWhicheverPieceComesFirst) {
  for (const int first : {0, 2, 3}) {
    Sums sums(4, 100);
    sums.Start(10);
    for (int k = 0; k < 4; ++k) sums.Work((first + k) % 4);
    sums.ExpectDone();
  }
}

TEST(EpochsTest, AnyNumberOfThreadsGetsToTheEnd) {
  for (const int num_threads : {2, 3, 5, 8}) {
    Sums sums(5, 2000);
    for (int round = 0; round < 3; ++round) {
      sums.Start(100000);
      std::vector<std::thread> threads;
      for (int t = 0; t < num_threads; ++t) threads.emplace_back([&sums, t] { sums.Work(t); });
      for (std::thread& t : threads) t.join();
    }
    sums.ExpectDone();
  }
}

TEST(EpochsTest, WorkersThatLoseTheirPatienceLeaveTheRestToOthers) {
  Sums sums(5, 5000);
  sums.Start(0);
  std::vector<std::thread> threads;
  for (int t = 0; t < 5; ++t) threads.emplace_back([&sums, t] { sums.Work(t); });
  for (std::thread& t : threads) t.join();
  sums.ExpectDone();
}

}  // namespace
}  // namespace livnd::sim
