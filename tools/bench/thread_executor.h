// Threads for a simulation that runs without a server.
#ifndef LIVND_TOOLS_BENCH_THREAD_EXECUTOR_H_
#define LIVND_TOOLS_BENCH_THREAD_EXECUTOR_H_

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "sim/executor.h"

namespace livnd::bench {

// The calling thread and num_threads - 1 others, which sleep between loops as the server's do. One
// loop at a time.
class ThreadExecutor final : public sim::Executor {
 public:
  explicit ThreadExecutor(int num_threads);
  ~ThreadExecutor() override;
  ThreadExecutor(const ThreadExecutor&) = delete;
  ThreadExecutor& operator=(const ThreadExecutor&) = delete;

  int concurrency() const override { return static_cast<int>(helpers_.size()) + 1; }
  void ParallelFor(int num_pieces, absl::FunctionRef<void(int)> fn) override;

 private:
  struct Loop {
    absl::FunctionRef<void(int)> fn;
    int num_pieces;
    int next = 0;
    int num_done = 0;
  };

  void Help();
  // Runs pieces until none is left to begin; holds `lock` except while a piece runs.
  void RunPieces(Loop& loop, std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable begun_;
  std::condition_variable done_;
  Loop* loop_ = nullptr;
  bool stopping_ = false;
  std::vector<std::thread> helpers_;
};

}  // namespace livnd::bench

#endif  // LIVND_TOOLS_BENCH_THREAD_EXECUTOR_H_
