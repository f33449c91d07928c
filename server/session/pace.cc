#include "server/session/pace.h"

#include <algorithm>

namespace livnd::server {

Pace::Time Pace::After(absl::Duration culture_time, Time now) {
  if (speed_ <= 0.0) return kPast;
  const auto wait = absl::ToChronoNanoseconds(culture_time / speed_);
  const Time due = (last_due_ == kPast ? now : last_due_) + wait;
  last_due_ = std::max(due, now);
  return due;
}

bool Pace::Tell(Time due, Time now) {
  const double late_us =
      std::max(0.0, std::chrono::duration<double, std::micro>(now - due).count());
  const auto bin = static_cast<size_t>(
      std::upper_bound(kBoundsUs.begin(), kBoundsUs.end(), late_us) - kBoundsUs.begin());
  MutexLock lock(mu_);
  ++num_steps_;
  const bool late = late_us > absl::ToDoubleMicroseconds(kLate);
  if (late) ++num_late_;
  sum_us_ += late_us;
  max_us_ = std::max(max_us_, late_us);
  ++counts_[bin];
  return late;
}

v1::PaceReport Pace::report() const {
  v1::PaceReport report;
  report.set_speed(speed_);
  for (const double bound : kBoundsUs) report.add_jitter_bounds_us(bound);
  MutexLock lock(mu_);
  report.set_num_steps(num_steps_);
  report.set_num_late(num_late_);
  if (num_steps_ > 0) report.set_mean_jitter_us(sum_us_ / static_cast<double>(num_steps_));
  report.set_max_jitter_us(max_us_);
  for (const int64_t count : counts_) report.add_jitter_counts(count);
  return report;
}

}  // namespace livnd::server
