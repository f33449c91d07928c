#include "env/passage.h"

#include <algorithm>

namespace livnd::env {

Progress Passage::Continue(int64_t max_ticks,
                           absl::FunctionRef<void(Copies::Group&, int64_t, int64_t)> work) {
  const int num_groups = std::min(copies_->concurrency(), copies_->num_groups() - first_group_);
  const int64_t from = at_;
  const int64_t to = from + std::min(max_ticks, num_ticks_ - from);
  copies_->ParallelFor(first_group_, num_groups,
                       [&](Copies::Group& group) { work(group, from, to); });
  at_ = to;
  if (at_ == num_ticks_) {
    first_group_ += num_groups;
    at_ = 0;
  }
  return {to - from, first_group_ == copies_->num_groups()};
}

}  // namespace livnd::env
