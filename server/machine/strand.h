// Tasks that must not run side by side, on threads that others use as well.
#ifndef LIVND_SERVER_MACHINE_STRAND_H_
#define LIVND_SERVER_MACHINE_STRAND_H_

#include <deque>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "server/machine/mutex.h"
#include "server/machine/worker_pool.h"

namespace livnd::server {

// Runs its tasks one after the other in the order of Post, each on some worker of the pool. What
// one task wrote the next one sees. After each task the worker is offered to others, so that a busy
// strand does not starve the rest.
//
// Thread-safe. Held by shared_ptr: a strand with tasks keeps itself alive. The pool must outlive
// it.
class Strand final : public std::enable_shared_from_this<Strand> {
 public:
  static std::shared_ptr<Strand> Create(WorkerPool& pool);

  void Post(absl::AnyInvocable<void() &&> task) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  explicit Strand(WorkerPool& pool) : pool_(pool) {}
  void RunOne() ABSL_LOCKS_EXCLUDED(mu_);

  WorkerPool& pool_;
  Mutex mu_;
  std::deque<absl::AnyInvocable<void() &&>> tasks_ ABSL_GUARDED_BY(mu_);
  bool scheduled_ ABSL_GUARDED_BY(mu_) = false;  // RunOne is running or submitted
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_STRAND_H_
