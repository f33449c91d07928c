// When what fails is tried again. Not for users of the library.
#ifndef LIVND_CLIENTS_CPP_PATIENCE_H_
#define LIVND_CLIENTS_CPP_PATIENCE_H_

#include <algorithm>
#include <chrono>
#include <optional>

#include "clients/cpp/connection.h"

namespace livnd::client::internal {

// With growing pauses, for so long after the first failure, which is when it is made. A value.
class Patience {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Patience(std::chrono::milliseconds patience) : give_up_(Clock::now() + patience) {}

  // After a failure: when the next try is; nullopt if that was the last.
  std::optional<Clock::time_point> NextTry() {
    const Clock::time_point now = Clock::now();
    if (now >= give_up_) return std::nullopt;
    const Clock::time_point due = std::min(now + Jitter(pause_), give_up_);
    pause_ = std::min(2 * pause_, kMaxBackoff);
    return due;
  }
  Clock::time_point give_up() const { return give_up_; }

 private:
  Clock::time_point give_up_;
  std::chrono::milliseconds pause_ = kFirstBackoff;
};

}  // namespace livnd::client::internal

#endif  // LIVND_CLIENTS_CPP_PATIENCE_H_
