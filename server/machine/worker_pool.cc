#include "server/machine/worker_pool.h"

#include <algorithm>
#include <atomic>
#include <utility>

namespace livnd::server {

// One ParallelFor in progress; lives on its caller's stack.
struct WorkerPool::Loop {
  Loop(absl::FunctionRef<void(int)> fn, int num_pieces, int helpers_wanted)
      : fn(fn), num_pieces(num_pieces), helpers_wanted(helpers_wanted) {}

  const absl::FunctionRef<void(int)> fn;
  const int num_pieces;
  std::atomic<int> next{0};  // first piece that nobody has taken

  // Guarded by the pool's mutex.
  int helpers_wanted;
  int helpers_inside = 0;
  CondVar left;  // signalled when helpers_inside becomes 0
};

WorkerPool::WorkerPool(int num_workers) {
  // Workers look at workers_ only from within tasks, and no task can come before the constructor
  // ends.
  for (int i = 0; i < std::max(1, num_workers); ++i) {
    workers_.emplace_back([this] { Work(); });
  }
}

WorkerPool::~WorkerPool() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    wake_.SignalAll();
  }
  for (std::thread& worker : workers_) worker.join();
}

void WorkerPool::Submit(absl::AnyInvocable<void() &&> task) {
  MutexLock lock(mu_);
  tasks_.push_back(std::move(task));
  if (sleeping_ > 0) wake_.Signal();
}

bool WorkerPool::idle() const {
  MutexLock lock(mu_);
  return tasks_.empty() && running_tasks_ == 0;
}

void WorkerPool::ParallelFor(int num_pieces, absl::FunctionRef<void(int)> fn) {
  const int max_helpers = std::min(num_pieces, concurrency()) - 1;
  if (max_helpers <= 0) {
    for (int i = 0; i < num_pieces; ++i) fn(i);
    return;
  }
  Loop loop(fn, num_pieces, max_helpers);
  {
    MutexLock lock(mu_);
    loops_.push_back(&loop);
    for (int i = std::min(sleeping_, max_helpers); i > 0; --i) wake_.Signal();
  }
  RunPieces(loop);
  MutexLock lock(mu_);
  loops_.erase(std::remove(loops_.begin(), loops_.end(), &loop), loops_.end());
  while (loop.helpers_inside > 0) loop.left.Wait(mu_);
}

void WorkerPool::RunPieces(Loop& loop) {
  while (true) {
    const int piece = loop.next.fetch_add(1, std::memory_order_relaxed);
    if (piece >= loop.num_pieces) return;
    loop.fn(piece);
  }
}

void WorkerPool::Work() {
  MutexLock lock(mu_);
  while (true) {
    // Loops first: they belong to tasks that already run.
    if (!loops_.empty()) {
      Loop& loop = *loops_.front();
      if (--loop.helpers_wanted == 0) loops_.erase(loops_.begin());
      ++loop.helpers_inside;
      mu_.Unlock();
      RunPieces(loop);
      mu_.Lock();
      if (--loop.helpers_inside == 0) loop.left.Signal();
    } else if (!tasks_.empty()) {
      absl::AnyInvocable<void()&&> task = std::move(tasks_.front());
      tasks_.pop_front();
      ++running_tasks_;
      mu_.Unlock();
      std::move(task)();
      task = nullptr;  // what it held is let go outside the lock
      mu_.Lock();
      --running_tasks_;
    } else if (stopping_) {
      return;
    } else {
      ++sleeping_;
      wake_.Wait(mu_);
      --sleeping_;
    }
  }
}

}  // namespace livnd::server
