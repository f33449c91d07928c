// Who holds which session: creation, look-up, limits, leases.
#ifndef LIVND_SERVER_SESSION_SESSION_REGISTRY_H_
#define LIVND_SERVER_SESSION_SESSION_REGISTRY_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "env/task/vector_environment.h"
#include "livnd/v1/admin_service.pb.h"
#include "livnd/v1/journal.pb.h"
#include "livnd/v1/session_service.pb.h"
#include "server/journal/journal_folder.h"
#include "server/machine/memory_budget.h"
#include "server/machine/mutex.h"
#include "server/machine/timer.h"
#include "server/machine/worker_pool.h"
#include "server/metrics/metrics.h"
#include "server/recording/recording_folder.h"
#include "server/session/environment_store.h"
#include "server/session/hosted_environment.h"
#include "server/session/recorder.h"
#include "server/session/session.h"
#include "server/session/tenant.h"

namespace livnd::server {

class SessionRegistry;

// A session in use by a call: it is not let go for idleness meanwhile. Movable; the registry must
// outlive it.
class SessionUse {
 public:
  SessionUse(SessionUse&& other) noexcept = default;
  SessionUse& operator=(SessionUse&& other) = delete;
  ~SessionUse();
  Session& operator*() const;
  Session* operator->() const;
  const std::shared_ptr<Session>& session() const;

 private:
  friend class SessionRegistry;
  struct Entry;
  SessionUse(SessionRegistry* registry, std::shared_ptr<Entry> entry);
  SessionRegistry* registry_;
  std::shared_ptr<Entry> entry_;  // null after a move
};

// All sessions, by name and by the request_id that created them. Names are 128 random bits. Each is a
// tenant's ("" for all callers of a server that tells none apart); for every other one it, and the
// request_id, do not exist. Nothing
// slow happens under the lock: environments are made on the pool with a slot reserved.
//
// A session is in memory, or on the disk, from where its next call brings it back; or its journal is
// there and cannot be gone on with, which its calls then say.
//
// Thread-safe. The store, the pool, the metrics and the journals must outlive the registry, and the
// registry the pool's tasks.
class SessionRegistry {
 public:
  struct Options {
    int max_sessions = 64;  // in memory
    int max_envs_per_session = 1024;
    int max_calls_per_session = 64;  // waiting, running or being answered at once
    int max_calls = 4096;            // the same, of all sessions, and creations that wait
    // A session that nobody calls for so long moves to the disk, and after so long it is deleted.
    absl::Duration lease = absl::InfiniteDuration();
    absl::Duration retention = absl::InfiniteDuration();
    double speed = 0.0;                       // of the pace of sessions that ask for none; 0: free
    const JournalFolder* journals = nullptr;  // null: sessions live in memory only
    RecordingFolder* recordings = nullptr;    // null: none are kept
    MemoryBudget* memory = nullptr;           // that sessions take; null: as much as there is
    Tenant::QuotaOf quota_of;                 // null: every tenant as much as there is
    std::function<absl::Time()> now;          // a steady clock; SteadyNow if empty
    // Draws 64 random bits a session, from which its unseeded copies get their seeds; the kernel's
    // if empty.
    std::function<uint64_t()> entropy;
  };

  using Created = absl::AnyInvocable<void(absl::StatusOr<std::shared_ptr<Session>>) &&>;

  SessionRegistry(Options options, EnvironmentStore& store, WorkerPool& pool, Metrics& metrics);
  ~SessionRegistry();

  const Options& options() const { return options_; }
  // What counts the calls of sessions.
  Metrics& metrics() const { return metrics_; }
  // For answers that are due later.
  Timer& timer() { return timer_; }

  // Makes a session, or finds the one that the same request made before. The request's fields must
  // have been checked. `done` is called once, here or on a worker. Errors: PAYLOAD_MISMATCH,
  // TOO_MANY_SESSIONS, UNKNOWN_SESSION (it made one, which has ended), SHUTTING_DOWN, and those of
  // making the environment, after which the request may be sent again.
  void Create(const std::string& tenant, const v1::CreateSessionRequest& request,
              env::AutoresetMode autoreset, Created done) ABSL_LOCKS_EXCLUDED(mu_);

  // Makes request.num_sessions sessions that begin with a snapshot of `from`, which its session's
  // strand has taken; all of them or none. As Create otherwise.
  using Forked = absl::AnyInvocable<void(absl::StatusOr<std::vector<std::shared_ptr<Session>>>) &&>;
  void Fork(const std::string& tenant, const v1::ForkRequest& request, const Session& from,
            std::string snapshot, Forked done) ABSL_LOCKS_EXCLUDED(mu_);

  // Calls `done` once, here or on a worker, with the session in memory. UNKNOWN_SESSION,
  // TOO_MANY_CALLS, TOO_BUSY, SHUTTING_DOWN; of one that was on the disk also TOO_MANY_SESSIONS,
  // STATE_NOT_WRITTEN, and those of making the environment.
  using Acquired = absl::AnyInvocable<void(absl::StatusOr<SessionUse>) &&>;
  void Acquire(const std::string& tenant, const std::string& name, Acquired done)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Takes a session out, so that nobody finds it any more, and ends it: its calls, those that have
  // begun at their next turn, answer UNKNOWN_SESSION. Null where it was not in memory: then all of it
  // is gone; otherwise the caller has it Forget on its strand. UNKNOWN_SESSION; SUPERSEDED, unless the
  // generation is 0.
  absl::StatusOr<std::shared_ptr<Session>> Remove(const std::string& tenant,
                                                  const std::string& name, int64_t generation = 0)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Has the lease of a session begin anew. UNKNOWN_SESSION, SHUTTING_DOWN.
  absl::Status RenewLease(const std::string& tenant, const std::string& name)
      ABSL_LOCKS_EXCLUDED(mu_);

  // What there is of all tenants, last called first.
  std::vector<v1::SessionSummary> List() const ABSL_LOCKS_EXCLUDED(mu_);
  // The session, of any tenant, whose name is this or begins so, with 8 characters at least.
  // UNKNOWN_SESSION; INVALID_FIELD where several do.
  struct Owned {
    std::string tenant;
    std::string name;
  };
  absl::StatusOr<Owned> FindByBeginning(absl::string_view beginning) const ABSL_LOCKS_EXCLUDED(mu_);

  // Has the sessions whose lease is over move to the disk.
  void ParkIdle() ABSL_LOCKS_EXCLUDED(mu_);
  // Deletes the sessions that nobody has called for the retention; how many.
  int RemoveOld() ABSL_LOCKS_EXCLUDED(mu_);

  // Finds the sessions of earlier processes, and brings back those that were in memory. Once, before
  // anything else; blocks until that is done.
  absl::Status Recover() ABSL_LOCKS_EXCLUDED(mu_);
  // Has every session write down where it stands, so that it is back sooner. After Drain.
  void Settle() ABSL_LOCKS_EXCLUDED(mu_);

  // From now on Create and Acquire fail with SHUTTING_DOWN, also for creations under way, and calls
  // that wait for their turn are told so at once. Those that have begun go on.
  void Drain() ABSL_LOCKS_EXCLUDED(mu_);

  // Number of uses: calls that have begun and not ended.
  int num_calls() const ABSL_LOCKS_EXCLUDED(mu_);
  // In memory.
  int num_sessions() const ABSL_LOCKS_EXCLUDED(mu_);
  // Sessions that have left the memory until now.
  int64_t num_departed() const ABSL_LOCKS_EXCLUDED(mu_);
  // Where the sessions are, and how long bringing them back has taken at the start.
  void FillIn(Levels& levels) const ABSL_LOCKS_EXCLUDED(mu_);
  // Copies in all sessions in memory.
  int num_envs() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  friend class SessionUse;
  using Entry = SessionUse::Entry;
  using EntryPointer = std::shared_ptr<Entry>;

  // What is known of a request_id.
  struct Request {
    std::string payload_sha256;
    std::string tenant;
    int num_envs = 0;              // of it while it is being made
    std::string session;           // its name; empty while it is being made
    bool ended = false;            // the session is gone
    std::vector<Created> waiters;  // while it is being made
  };

  // A session that is to be made.
  struct Wish {
    std::string tenant;
    std::string request_key;
    std::string payload_sha256;  // what a repeat of the request must be equal to
    std::string environment_id;
    WantedCopies copies;  // their unseeded seed is drawn when they are made
    double speed = 0.0;   // of their pace
    std::shared_ptr<const v1::RestoreRequest> start;  // null: new copies
  };
  void Make(Wish wish, Created done) ABSL_LOCKS_EXCLUDED(mu_);
  // As if the session had never been made: its request may come again.
  void Unmake(const std::string& name) ABSL_LOCKS_EXCLUDED(mu_);
  void Finish(const Wish& wish, absl::StatusOr<std::unique_ptr<HostedEnvironment>> environment)
      ABSL_LOCKS_EXCLUDED(mu_);
  // A session that is to be, with a journal of its own where there are journals.
  std::shared_ptr<Session> MakeSession(Session::Start start, v1::JournalHead head);
  // Reads a journal and does what it says; then Arrive.
  void BringBack(EntryPointer entry) ABSL_LOCKS_EXCLUDED(mu_);
  absl::StatusOr<std::shared_ptr<Session>> Redo(const Entry& entry, const Journal& journal,
                                                std::unique_ptr<HostedEnvironment> environment);
  // The end of a move into memory, and of one to the disk.
  void Arrive(const EntryPointer& entry, absl::StatusOr<std::shared_ptr<Session>> session)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Leave(const EntryPointer& entry, const absl::Status& parked) ABSL_LOCKS_EXCLUDED(mu_);
  // Reserves a place in memory for one that is on the disk.
  absl::Status BeginMove(Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Answers those who wait for an entry that is in memory.
  using Answers = std::vector<absl::AnyInvocable<void() &&>>;
  Answers AnswerWaiters(const EntryPointer& entry, const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RemoveFromDisk(const Entry& entry) const;
  Recorder::Place PlaceOf(const std::string& tenant, const std::string& session) const;
  // A session leaves the memory.
  void Depart() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    --num_resident_;
    ++num_departed_;
  }
  // TOO_MANY_SESSIONS, with which of them the tenant holds.
  absl::Status TooManySessions(const std::string& tenant) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Of a session, those among them whose answers have not left.
  int NumCallsOf(const Entry& entry) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status TooManyCalls(int calls) const;
  std::shared_ptr<Tenant> TenantOf(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Asks for the memory of copies that a tenant wants; counted until what is returned is gone.
  static std::function<absl::Status(int64_t bytes)> AdmitFor(std::shared_ptr<Tenant> tenant);
  // QUOTA_EXCEEDED where a tenant may have no session, or copies, so many more.
  absl::Status CheckQuota(const std::string& tenant, int num_envs)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // TOO_BUSY where one more call may not wait.
  absl::Status CheckBusy() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Forget(const std::string& request_key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Time Now() const;
  uint64_t Entropy() const;

  const Options options_;
  EnvironmentStore& store_;
  WorkerPool& pool_;
  Metrics& metrics_;
  // Of who gives it none.
  MemoryBudget unlimited_;
  MemoryBudget& memory_;

  Timer timer_;

  mutable Mutex mu_;
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  int num_calls_ ABSL_GUARDED_BY(mu_) = 0;
  absl::Duration recovery_ ABSL_GUARDED_BY(mu_);
  bool recovering_ ABSL_GUARDED_BY(mu_) = false;  // nobody is told that it is busy
  int num_waiting_ ABSL_GUARDED_BY(mu_) = 0;      // for a session to be made, or to be in memory
  int num_reserved_ ABSL_GUARDED_BY(mu_) = 0;     // sessions being made
  int num_resident_ ABSL_GUARDED_BY(mu_) = 0;     // sessions in memory
  int64_t num_departed_ ABSL_GUARDED_BY(mu_) = 0;
  absl::flat_hash_map<std::string, EntryPointer> sessions_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<std::string, std::shared_ptr<Tenant>> tenants_ ABSL_GUARDED_BY(mu_);
  // By tenant and request_id.
  absl::flat_hash_map<std::string, Request> requests_ ABSL_GUARDED_BY(mu_);
  std::deque<std::string> ended_requests_ ABSL_GUARDED_BY(mu_);  // oldest first
};

// The rest of a Remove: calls `done` once nothing of the session is left.
void EndAndForget(absl::StatusOr<std::shared_ptr<Session>> removed,
                  absl::AnyInvocable<void(const absl::Status&) &&> done);

}  // namespace livnd::server

#endif  // LIVND_SERVER_SESSION_SESSION_REGISTRY_H_
