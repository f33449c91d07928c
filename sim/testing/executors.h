// Executors that tests run the simulation on.
#ifndef LIVND_SIM_TESTING_EXECUTORS_H_
#define LIVND_SIM_TESTING_EXECUTORS_H_

#include <atomic>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "sim/executor.h"

namespace livnd::sim {

// So many threads, made anew for every loop: pieces really run side by side.
class ThreadsExecutor final : public Executor {
 public:
  explicit ThreadsExecutor(int num_threads) : num_threads_(num_threads) {}
  int concurrency() const override { return num_threads_; }
  void ParallelFor(int num_pieces, absl::FunctionRef<void(int)> fn) override {
    auto every = [&](int first) {
      for (int i = first; i < num_pieces; i += num_threads_) fn(i);
    };
    std::vector<std::thread> others;
    for (int t = 1; t < num_threads_; ++t) others.emplace_back(every, t);
    every(0);
    for (std::thread& t : others) t.join();
    ++num_loops_;
  }
  // Loops so far.
  int num_loops() const { return num_loops_; }

 private:
  const int num_threads_;
  std::atomic<int> num_loops_{0};
};

// Pieces one after the other, the last first: nothing may depend on their order. Claims to do so many at
// once.
class BackwardExecutor final : public Executor {
 public:
  explicit BackwardExecutor(int concurrency) : concurrency_(concurrency) {}
  int concurrency() const override { return concurrency_; }
  void ParallelFor(int num_pieces, absl::FunctionRef<void(int)> fn) override {
    for (int i = num_pieces; i-- > 0;) fn(i);
  }

 private:
  const int concurrency_;
};

// Says that it runs several pieces at once, and runs them one after the other, as a pool does whose
// other threads are busy.
class BusyExecutor final : public Executor {
 public:
  explicit BusyExecutor(int concurrency) : concurrency_(concurrency) {}
  int concurrency() const override { return concurrency_; }
  void ParallelFor(int num_pieces, absl::FunctionRef<void(int)> fn) override {
    for (int i = 0; i < num_pieces; ++i) fn(i);
  }

 private:
  const int concurrency_;
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_TESTING_EXECUTORS_H_
