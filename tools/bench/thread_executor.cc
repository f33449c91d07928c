#include "tools/bench/thread_executor.h"

namespace livnd::bench {

ThreadExecutor::ThreadExecutor(int num_threads) {
  for (int i = 1; i < num_threads; ++i) helpers_.emplace_back([this] { Help(); });
}

ThreadExecutor::~ThreadExecutor() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  begun_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
}

void ThreadExecutor::ParallelFor(int num_pieces, absl::FunctionRef<void(int)> fn) {
  Loop loop{fn, num_pieces};
  std::unique_lock<std::mutex> lock(mutex_);
  if (num_pieces > 1 && !helpers_.empty()) {
    loop_ = &loop;
    begun_.notify_all();
  }
  RunPieces(loop, lock);
  done_.wait(lock, [&] { return loop.num_done == num_pieces; });
  loop_ = nullptr;
}

void ThreadExecutor::Help() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    begun_.wait(lock, [this] {
      return stopping_ || (loop_ != nullptr && loop_->next < loop_->num_pieces);
    });
    if (stopping_) return;
    RunPieces(*loop_, lock);
  }
}

void ThreadExecutor::RunPieces(Loop& loop, std::unique_lock<std::mutex>& lock) {
  while (loop.next < loop.num_pieces) {
    const int piece = loop.next++;
    lock.unlock();
    loop.fn(piece);
    lock.lock();
    if (++loop.num_done == loop.num_pieces) done_.notify_one();
  }
}

}  // namespace livnd::bench
