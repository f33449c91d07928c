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

WorkerPool::WorkerPool(int num_workers, int num_aside)
    : num_workers_(std::max(1, num_workers)), num_aside_(std::max(1, num_aside)) {
  for (int i = 0; i < num_workers_; ++i) {
    threads_.emplace_back([this] { Work(); });
  }
  for (int i = 0; i < num_aside_; ++i) {
    threads_.emplace_back([this] { WorkAside(); });
  }
}

WorkerPool::~WorkerPool() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    steps_.wake.SignalAll();
    aside_.wake.SignalAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::SubmitTo(Lane& lane, Task task) {
  lane.tasks.push_back(std::move(task));
  if (lane.sleeping > 0) lane.wake.Signal();
}

void WorkerPool::Submit(Task task) {
  MutexLock lock(mu_);
  SubmitTo(steps_, std::move(task));
}

void WorkerPool::SubmitAside(Task task) {
  MutexLock lock(mu_);
  SubmitTo(aside_, std::move(task));
}

bool WorkerPool::TasksWait() const {
  MutexLock lock(mu_);
  return !steps_.tasks.empty();
}

bool WorkerPool::IsIdle() const {
  return steps_.tasks.empty() && aside_.tasks.empty() && steps_.running + aside_.running == 0;
}

bool WorkerPool::idle() const {
  MutexLock lock(mu_);
  return IsIdle();
}

int WorkerPool::num_waiting() const {
  MutexLock lock(mu_);
  return static_cast<int>(steps_.tasks.size() + aside_.tasks.size());
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
    for (int i = std::min(steps_.sleeping, max_helpers); i > 0; --i) steps_.wake.Signal();
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

void WorkerPool::RunTask(Lane& lane) {
  Task task = std::move(lane.tasks.front());
  lane.tasks.pop_front();
  ++lane.running;
  mu_.Unlock();
  std::move(task)();
  task = nullptr;  // what it held is let go outside the lock
  mu_.Lock();
  --lane.running;
  if (stopping_ && IsIdle()) {
    steps_.wake.SignalAll();
    aside_.wake.SignalAll();
  }
}

void WorkerPool::Sleep(Lane& lane) {
  ++lane.sleeping;
  lane.wake.Wait(mu_);
  --lane.sleeping;
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
    } else if (!steps_.tasks.empty()) {
      RunTask(steps_);
    } else if (stopping_ && IsIdle()) {
      return;
    } else {
      Sleep(steps_);
    }
  }
}

void WorkerPool::WorkAside() {
  MutexLock lock(mu_);
  while (true) {
    if (!aside_.tasks.empty()) {
      RunTask(aside_);
    } else if (stopping_ && IsIdle()) {  // a task that runs may submit more
      return;
    } else {
      Sleep(aside_);
    }
  }
}

}  // namespace livnd::server
