// Calls at a time.
#ifndef LIVND_SERVER_MACHINE_TIMER_H_
#define LIVND_SERVER_MACHINE_TIMER_H_

#include <chrono>
#include <map>
#include <optional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "server/machine/mutex.h"

namespace livnd::server {

// A thread that calls functions when their time has come, the earliest first. It is there once the first
// one is asked for. Thread-safe.
class Timer {
 public:
  using Clock = std::chrono::steady_clock;
  using Function = absl::AnyInvocable<void() &&>;

  Timer() = default;
  // Calls what is left.
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Of short functions; they must not wait.
  void At(Clock::time_point when, Function function) ABSL_LOCKS_EXCLUDED(mu_);

  // From now on no time is waited for.
  void Hurry() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mu_);

  Mutex mu_;
  CondVar changed_;
  bool hurry_ ABSL_GUARDED_BY(mu_) = false;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::multimap<Clock::time_point, Function> functions_ ABSL_GUARDED_BY(mu_);
  std::optional<std::thread> thread_ ABSL_GUARDED_BY(mu_);
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_TIMER_H_
