#include "server/machine/strand.h"

#include <utility>

namespace livnd::server {

std::shared_ptr<Strand> Strand::Create(WorkerPool& pool) {
  return std::shared_ptr<Strand>(new Strand(pool));
}

void Strand::Post(Task task, First first) {
  bool closed = false;
  {
    MutexLock lock(mu_);
    closed = closed_;
    if (!closed) {
      tasks_.push_back(std::move(task));
      if (scheduled_) return;
      scheduled_ = true;
    }
  }
  if (closed) {
    task(Bid::kGo);
  } else if (first == First::kHere && !pool_.TasksWait()) {
    const std::shared_ptr<Strand> self = shared_from_this();  // the task may let it go
    TakeTurns(Lane::kHere);
  } else {
    Submit(Lane::kSteps);
  }
}

void Strand::Close() {
  std::deque<Task> waiting;
  {
    MutexLock lock(mu_);
    closed_ = true;
    waiting.swap(tasks_);
  }
  for (Task& task : waiting) task(Bid::kGo);
}

void Strand::Submit(Lane lane) {
  auto turns = [self = shared_from_this(), lane] { self->TakeTurns(lane); };
  if (lane == Lane::kAside) {
    pool_.SubmitAside(std::move(turns));
  } else {
    pool_.Submit(std::move(turns));
  }
}

void Strand::TakeTurns(Lane lane) {
  if (!task_) {
    MutexLock lock(mu_);
    if (tasks_.empty()) {  // closed meanwhile
      scheduled_ = false;
      return;
    }
    task_ = std::move(tasks_.front());
    tasks_.pop_front();
  }
  Turn turn = task_(Bid::kTurn);
  while (turn == Turn::kAgain && lane == Lane::kSteps && !pool_.TasksWait()) {
    turn = task_(Bid::kTurn);
  }
  if (turn == Turn::kOver) {
    task_ = nullptr;
    MutexLock lock(mu_);
    if (tasks_.empty()) {
      scheduled_ = false;
      return;
    }
  }
  Submit(turn == Turn::kAside ? Lane::kAside : Lane::kSteps);
}

}  // namespace livnd::server
