#include "server/machine/timer.h"

#include <utility>

#include "absl/time/time.h"

namespace livnd::server {

Timer::~Timer() {
  std::optional<std::thread> thread;
  {
    MutexLock lock(mu_);
    hurry_ = stopping_ = true;
    thread.swap(thread_);
    changed_.Signal();
  }
  if (thread.has_value()) thread->join();
}

void Timer::At(Clock::time_point when, Function function) {
  MutexLock lock(mu_);
  functions_.emplace(when, std::move(function));
  if (!thread_.has_value() && !stopping_) thread_.emplace([this] { Run(); });
  changed_.Signal();
}

void Timer::Hurry() {
  MutexLock lock(mu_);
  hurry_ = true;
  changed_.Signal();
}

void Timer::Run() {
  MutexLock lock(mu_);
  while (true) {
    if (functions_.empty()) {
      if (stopping_) return;
      changed_.Wait(mu_);
      continue;
    }
    const Clock::duration left = functions_.begin()->first - Clock::now();
    if (!hurry_ && left > Clock::duration::zero()) {
      changed_.WaitFor(mu_, absl::FromChrono(left));
      continue;
    }
    Function function = std::move(functions_.begin()->second);
    functions_.erase(functions_.begin());
    mu_.Unlock();
    std::move(function)();
    function = nullptr;
    mu_.Lock();
  }
}

}  // namespace livnd::server
