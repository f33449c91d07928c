#include "server/machine/strand.h"

#include <utility>

namespace livnd::server {

std::shared_ptr<Strand> Strand::Create(WorkerPool& pool) {
  return std::shared_ptr<Strand>(new Strand(pool));
}

void Strand::Post(absl::AnyInvocable<void() &&> task) {
  {
    MutexLock lock(mu_);
    tasks_.push_back(std::move(task));
    if (scheduled_) return;
    scheduled_ = true;
  }
  pool_.Submit([self = shared_from_this()] { self->RunOne(); });
}

void Strand::RunOne() {
  absl::AnyInvocable<void() &&> task;
  {
    MutexLock lock(mu_);
    task = std::move(tasks_.front());
    tasks_.pop_front();
  }
  std::move(task)();
  task = nullptr;
  {
    MutexLock lock(mu_);
    if (tasks_.empty()) {
      scheduled_ = false;
      return;
    }
  }
  pool_.Submit([self = shared_from_this()] { self->RunOne(); });
}

}  // namespace livnd::server
