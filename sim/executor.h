// How the simulation is given threads: it starts none of its own.
#ifndef LIVND_SIM_EXECUTOR_H_
#define LIVND_SIM_EXECUTOR_H_

#include <algorithm>

#include "absl/functional/function_ref.h"

namespace livnd::sim {

// Runs pieces of work, possibly side by side. Results never depend on the executor. A piece never
// waits for one that has not begun: they may run one after the other, in any order.
class Executor {
 public:
  virtual ~Executor() = default;

  // Upper bound of the pieces that run at once; at least 1.
  virtual int concurrency() const = 0;

  // Calls fn(0) .. fn(num_pieces - 1), each exactly once, and returns when all have returned.
  virtual void ParallelFor(int num_pieces, absl::FunctionRef<void(int)> fn) = 0;
};

// One of several equal shares of an executor: for work that is itself one of that many pieces.
class ExecutorShare final : public Executor {
 public:
  // The executor must outlive it.
  ExecutorShare(Executor& executor, int num_shares)
      : executor_(executor), concurrency_(std::max(1, executor.concurrency() / num_shares)) {}

  int concurrency() const override { return concurrency_; }
  void ParallelFor(int num_pieces, absl::FunctionRef<void(int)> fn) override {
    executor_.ParallelFor(num_pieces, fn);
  }

 private:
  Executor& executor_;
  const int concurrency_;
};

// Everything on the calling thread, in order.
class InlineExecutor final : public Executor {
 public:
  int concurrency() const override { return 1; }
  void ParallelFor(int num_pieces, absl::FunctionRef<void(int)> fn) override {
    for (int i = 0; i < num_pieces; ++i) fn(i);
  }
};

}  // namespace livnd::sim

#endif  // LIVND_SIM_EXECUTOR_H_
