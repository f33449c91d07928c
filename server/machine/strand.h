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

// What a task of a strand says at the end of a turn.
enum class Turn {
  kOver,   // the task is done, the next one follows
  kAgain,  // it wants another turn, once others have had theirs
  kAside,  // it wants another turn, among the work that cannot be cut (WorkerPool::SubmitAside)
};

// What a task of a strand is called for.
enum class Bid {
  kTurn,  // to have its first turn, or another one
  kGo,    // to go without having begun: no turn was and none will be
};

// Runs its tasks one after the other in the order of Post, each in one or more turns on some worker of
// the pool; no other task of the strand runs before one is over. What one turn wrote the next one
// sees. After each turn the worker is offered to others, so that a busy strand does not starve the
// rest; only where nobody waits for a worker a task that wants another turn has it at once.
//
// A strand may be closed, for good. What has begun goes on; nothing else begins: tasks that wait, and
// those posted later, are called once with Bid::kGo, without waiting, on the thread that closes or
// posts and beside the task that runs. What they answer to that does not matter.
//
// Thread-safe. Held by shared_ptr: a strand with tasks keeps itself alive. The pool must outlive
// it.
class Strand final : public std::enable_shared_from_this<Strand> {
 public:
  using Task = absl::AnyInvocable<Turn(Bid)>;

  static std::shared_ptr<Strand> Create(WorkerPool& pool);

  // Where a task has its first turn, if it need not wait for others of the strand.
  enum class First {
    kOnAWorker,
    // Within Post, on the thread that calls it, unless others wait for a worker: of a turn that is shorter
    // than what handing it over takes. That thread must hold no lock that the task takes.
    kHere,
  };
  void Post(Task task, First first = First::kOnAWorker) ABSL_LOCKS_EXCLUDED(mu_);
  void Close() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  enum class Lane { kSteps, kAside, kHere };

  explicit Strand(WorkerPool& pool) : pool_(pool) {}
  // Has TakeTurns run on a worker.
  void Submit(Lane lane);
  void TakeTurns(Lane lane) ABSL_LOCKS_EXCLUDED(mu_);

  WorkerPool& pool_;
  Task task_;  // that has begun; touched by TakeTurns alone, which runs once at a time
  Mutex mu_;
  std::deque<Task> tasks_ ABSL_GUARDED_BY(mu_);
  bool scheduled_ ABSL_GUARDED_BY(mu_) = false;  // TakeTurns is running or submitted
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_STRAND_H_
