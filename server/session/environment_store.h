// The environments that the server offers, and their models, each built once.
#ifndef LIVND_SERVER_SESSION_ENVIRONMENT_STORE_H_
#define LIVND_SERVER_SESSION_ENVIRONMENT_STORE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "env/spec.h"
#include "env/task/vector_environment.h"
#include "livnd/v1/environment_service.pb.h"
#include "server/machine/memory_budget.h"
#include "server/machine/mutex.h"
#include "server/machine/worker_pool.h"
#include "server/session/hosted_environment.h"
#include "sim/executor.h"

namespace livnd::server {

// What a session wants of an environment. With the calls that follow, it decides every bit of the
// session's answers.
struct WantedCopies {
  int num_envs = 1;
  env::AutoresetMode autoreset = env::AutoresetMode::kNextStep;
  uint64_t unseeded_seed = 0;     // where copies that are reset without a seed get theirs
  int64_t max_episode_steps = 0;  // 0: the environment's own
  // Whether whoever wants them may have so many bytes; asked before there are any. Null: yes.
  std::function<absl::Status(int64_t bytes)> admit;
};

// Makes copies of environments. The first request for an environment builds its model, which
// settles a culture and takes seconds; requests that come meanwhile wait for the same build without
// holding a thread, and later ones find the model. A build that fails is not kept: the next request
// tries again.
//
// What is offered may be exchanged. A model whose environment is offered no longer, or another one by
// the same name, is let go; what was made from it goes on.
//
// Neither building nor making copies can be cut, so both are done aside (WorkerPool::SubmitAside).
// Of the threads there one is left for making copies of what is built; further builds wait.
//
// Thread-safe. Must outlive its pool's tasks; the pool must outlive the store's last Make.
class EnvironmentStore {
 public:
  // Makes copies from a built model, and knows how much memory they take. Thread-safe.
  class Maker {
   public:
    using Make =
        std::function<absl::StatusOr<std::unique_ptr<HostedEnvironment>>(const WantedCopies&)>;
    using BytesOf = std::function<int64_t(const WantedCopies&)>;
    Maker() = default;
    explicit Maker(Make make, BytesOf bytes_of = nullptr)
        : make_(std::move(make)), bytes_of_(std::move(bytes_of)) {}

    bool empty() const { return make_ == nullptr; }
    int64_t BytesFor(const WantedCopies& wanted) const { return bytes_of_ ? bytes_of_(wanted) : 0; }
    auto operator()(const WantedCopies& wanted) const { return make_(wanted); }

   private:
    friend class EnvironmentStore;
    Make make_;
    BytesOf bytes_of_;
    std::shared_ptr<const MemoryBudget::Reservation> model_;  // of what it makes copies from
  };
  // Builds the model of an environment, using the executor's threads. Thread-safe.
  using Builder = std::function<absl::StatusOr<Maker>(const std::string& environment_id,
                                                      sim::Executor& executor)>;
  using Done = absl::AnyInvocable<void(absl::StatusOr<std::unique_ptr<HostedEnvironment>>) &&>;

  // A model that was built for one version of its environment is not taken for another's; an environment
  // that has no version never changes.
  using Versions = std::map<std::string, std::string>;
  // Memory that building an environment takes; 0 where it is not there.
  using BuildBytes = std::map<std::string, int64_t>;
  using Specs = std::vector<env::EnvironmentSpec>;
  // Those that there are not, and why.
  using NotOffered = std::vector<v1::EnvironmentNotOffered>;
  // What there is at one moment.
  struct Offered {
    Specs specs;             // ordered by id
    NotOffered not_offered;  // ordered by id
  };

  // Null: as much memory as there is.
  EnvironmentStore(Specs specs, Builder builder, WorkerPool& pool, MemoryBudget* memory = nullptr);

  // From now on these are offered, and built by that.
  void Exchange(Specs specs, Builder builder, Versions versions, BuildBytes build_bytes = {},
                NotOffered not_offered = {}) ABSL_LOCKS_EXCLUDED(mu_);

  // Never null.
  std::shared_ptr<const Offered> offered() const ABSL_LOCKS_EXCLUDED(mu_);

  // NOT_FOUND / UNKNOWN_ENVIRONMENT, which says why where that is known.
  absl::StatusOr<std::shared_ptr<const env::EnvironmentSpec>> Find(
      absl::string_view environment_id) const ABSL_LOCKS_EXCLUDED(mu_);

  // Calls `done` on a thread of the pool. UNKNOWN_ENVIRONMENT, OUT_OF_MEMORY.
  void Make(const std::string& environment_id, const WantedCopies& wanted, Done done)
      ABSL_LOCKS_EXCLUDED(mu_);

  // True while a model is being built, which nothing can interrupt.
  bool building() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  struct Waiter {
    WantedCopies wanted;
    Done done;
  };
  struct Model {
    Maker maker;  // empty() until built
    std::vector<Waiter> waiters;
  };
  // What is built, and for which version: another one has a model of its own.
  using Key = std::pair<std::string, std::string>;

  // Begins the builds that wait, as many as may run.
  void BeginBuilds() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Build(const Key& key, const Builder& builder) ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<Maker> BuildWithin(const std::string& environment_id, const Builder& builder)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Of what is offered.
  Key KeyOf(const std::string& environment_id) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void MakeFrom(Maker maker, Waiter waiter);

  // Where there is room for the copies.
  absl::StatusOr<std::unique_ptr<HostedEnvironment>> MakeWithin(const Maker& maker,
                                                                const WantedCopies& wanted);

  WorkerPool& pool_;
  MemoryBudget unlimited_;
  MemoryBudget& memory_;

  mutable Mutex mu_;
  std::shared_ptr<const Offered> offered_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<const Builder> builder_ ABSL_GUARDED_BY(mu_);
  Versions versions_ ABSL_GUARDED_BY(mu_);
  BuildBytes build_bytes_ ABSL_GUARDED_BY(mu_);
  std::map<Key, Model> models_ ABSL_GUARDED_BY(mu_);
  std::deque<std::pair<Key, std::shared_ptr<const Builder>>> to_build_ ABSL_GUARDED_BY(mu_);
  int num_builds_ ABSL_GUARDED_BY(mu_) = 0;  // under way
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SESSION_ENVIRONMENT_STORE_H_
