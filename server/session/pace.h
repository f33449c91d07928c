// Culture time beside the clock.
#ifndef LIVND_SERVER_SESSION_PACE_H_
#define LIVND_SERVER_SESSION_PACE_H_

#include <array>
#include <chrono>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "livnd/v1/session_service.pb.h"
#include "server/machine/mutex.h"

namespace livnd::server {

// Seconds of culture time a second, of a pace that is not free.
inline constexpr double kMinSpeed = 0.001;
inline constexpr double kMaxSpeed = 1000.0;
inline bool IsSpeed(double speed) { return speed >= kMinSpeed && speed <= kMaxSpeed; }

// Says when the answers of a session's operations are due, where culture time shall go by no faster than
// so many times the clock's, and keeps the account of how late they came. The first operation after a
// BeginAnew is due its own time after it is done; the next ones their time after the one before was due,
// or was answered, if that was later: a culture that had to wait goes on from there. Decides no bit of an
// answer.
//
// After and BeginAnew are called by one thread at a time; the rest is thread-safe.
class Pace {
 public:
  using Clock = std::chrono::steady_clock;
  using Time = Clock::time_point;
  static constexpr Time kPast = Time::min();
  static constexpr absl::Duration kLate = absl::Milliseconds(1);
  // Of the bins of the histogram, in microseconds.
  static constexpr std::array<double, 10> kBoundsUs = {
      100.0, 200.0, 500.0, 1'000.0, 2'000.0, 5'000.0, 10'000.0, 20'000.0, 50'000.0, 100'000.0};

  // Seconds of culture time a second; 0: free, and nothing is ever due.
  explicit Pace(double speed) : speed_(speed) {}
  double speed() const { return speed_; }

  void BeginAnew() { last_due_ = kPast; }
  // An operation of so much culture time has been computed: when it is due. kPast for a free pace.
  Time After(absl::Duration culture_time, Time now);

  // It is answered now. Whether that is late.
  bool Tell(Time due, Time now) ABSL_LOCKS_EXCLUDED(mu_);
  v1::PaceReport report() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  const double speed_;
  Time last_due_ = kPast;
  mutable Mutex mu_;
  int64_t num_steps_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t num_late_ ABSL_GUARDED_BY(mu_) = 0;
  double sum_us_ ABSL_GUARDED_BY(mu_) = 0.0;
  double max_us_ ABSL_GUARDED_BY(mu_) = 0.0;
  std::array<int64_t, kBoundsUs.size() + 1> counts_ ABSL_GUARDED_BY(mu_) = {};
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SESSION_PACE_H_
