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
// Tasks take milliseconds, or others wait for as long as they take. What cannot be cut so short is
// submitted aside: a few threads do nothing else, and share the processors with the workers.
//
// Thread-safe. Tasks must not throw. Tasks must not wait for other tasks.
class WorkerPool final : public sim::Executor {
 public:
  // Both >= 1.
  explicit WorkerPool(int num_workers, int num_aside = 1);
  // Runs what was submitted, then joins the threads.
  ~WorkerPool() override;
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  using Task = absl::AnyInvocable<void() &&>;
  void Submit(Task task) ABSL_LOCKS_EXCLUDED(mu_);
  void SubmitAside(Task task) ABSL_LOCKS_EXCLUDED(mu_);

  // True while a submitted task waits for a worker; what waits aside does not count.
  bool TasksWait() const ABSL_LOCKS_EXCLUDED(mu_);
  // True while no task is running or waiting.
  bool idle() const ABSL_LOCKS_EXCLUDED(mu_);

  // Submitted tasks that wait for a thread, those aside too.
  int num_waiting() const ABSL_LOCKS_EXCLUDED(mu_);

  // Tasks that run aside at once.
  int num_aside() const { return num_aside_; }
  int concurrency() const override { return num_workers_; }
  void ParallelFor(int num_pieces, absl::FunctionRef<void(int)> fn) override
      ABSL_LOCKS_EXCLUDED(mu_);

  // Asks the tasks that run, and those that are still to run, to give up. For good.
  void RequestStop() { stop_requested_ = true; }
  bool stop_requested() const { return stop_requested_; }

 private:
  struct Loop;
  // Tasks of one kind, for threads that take no other ones.
  struct Lane {
    std::deque<Task> tasks;
    int running = 0;
    int sleeping = 0;  // threads
    CondVar wake;
  };

  void SubmitTo(Lane& lane, Task task) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Work() ABSL_LOCKS_EXCLUDED(mu_);
  void WorkAside() ABSL_LOCKS_EXCLUDED(mu_);
  // Runs the lane's first task, without the lock.
  void RunTask(Lane& lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Sleep(Lane& lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool IsIdle() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  static void RunPieces(Loop& loop);

  const int num_workers_;
  const int num_aside_;
  mutable Mutex mu_;
  Lane steps_ ABSL_GUARDED_BY(mu_);
  Lane aside_ ABSL_GUARDED_BY(mu_);
  std::vector<Loop*> loops_ ABSL_GUARDED_BY(mu_);  // that still want helpers
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::atomic<bool> stop_requested_{false};
  std::vector<std::thread> threads_;  // constant after construction
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_WORKER_POOL_H_
