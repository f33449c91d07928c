// A fixed set of threads that does all the work of the server.
#ifndef LIVND_SERVER_MACHINE_WORKER_POOL_H_
#define LIVND_SERVER_MACHINE_WORKER_POOL_H_

#include <atomic>
#include <deque>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "server/machine/mutex.h"
#include "sim/executor.h"

namespace livnd::server {

// Runs submitted tasks in order of submission, as many at a time as there are workers, and lends
// idle workers to the loops that running tasks start with ParallelFor. A loop's caller takes part
// in it, so a loop ends also while all other workers are busy, and loops may nest. Neither makes a
// thread, and ParallelFor allocates nothing once warm.
//
// Thread-safe. Tasks must not throw. Tasks must not wait for other tasks.
class WorkerPool final : public sim::Executor {
 public:
  // num_workers >= 1.
  explicit WorkerPool(int num_workers);
  // Runs what was submitted, then joins the workers.
  ~WorkerPool() override;
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void Submit(absl::AnyInvocable<void() &&> task) ABSL_LOCKS_EXCLUDED(mu_);

  // True while no task is running or waiting.
  bool idle() const ABSL_LOCKS_EXCLUDED(mu_);

  int concurrency() const override { return static_cast<int>(workers_.size()); }
  void ParallelFor(int num_pieces, absl::FunctionRef<void(int)> fn) override
      ABSL_LOCKS_EXCLUDED(mu_);

  // Asks the tasks that run, and those that are still to run, to give up.
  void RequestStop() { stop_requested_ = true; }
  bool stop_requested() const override { return stop_requested_; }

 private:
  struct Loop;

  void Work() ABSL_LOCKS_EXCLUDED(mu_);
  static void RunPieces(Loop& loop);

  mutable Mutex mu_;
  CondVar wake_;
  std::deque<absl::AnyInvocable<void() &&>> tasks_ ABSL_GUARDED_BY(mu_);
  std::vector<Loop*> loops_ ABSL_GUARDED_BY(mu_);  // that still want helpers
  int sleeping_ ABSL_GUARDED_BY(mu_) = 0;
  int running_tasks_ ABSL_GUARDED_BY(mu_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::atomic<bool> stop_requested_{false};
  std::vector<std::thread> workers_;  // constant after construction
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_WORKER_POOL_H_
