#include "server/session/session_registry.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "io/system/truth.h"
#include "server/machine/log.h"
#include "server/machine/steady_time.h"
#include "server/session/session_entry.h"
#include "server/wire/errors.h"
#include "server/wire/memory_needs.h"
#include "server/wire/message_bytes.h"
#include "server/wire/spec.h"

namespace livnd::server {
namespace {

// Requests whose session has ended are remembered, so that a creation delayed in the network does
// not make a session that nobody holds.
constexpr size_t kMaxEndedRequests = 4096;

void FillRandomly(char* bytes, size_t size) {
  size_t filled = 0;
  while (filled < size) {
    const ssize_t n = getrandom(bytes + filled, size - filled, 0);
    if (n > 0) {
      filled += static_cast<size_t>(n);
    } else if (errno != EINTR) {
      LogError("getrandom failed; a session name must not be guessable");
      std::abort();
    }
  }
}

// 128 random bits as 32 hexadecimal digits.
std::string RandomName() {
  char bytes[16];
  FillRandomly(bytes, sizeof(bytes));
  return absl::BytesToHexString(absl::string_view(bytes, sizeof(bytes)));
}

// Of a request that may hold megabytes and is compared as long as its session lives.
std::string DigestOf(const google::protobuf::Message& request) {
  std::string payload;
  CanonicalBytes(request, &payload);
  return io::BytesSha256(payload);
}

}  // namespace

SessionUse::SessionUse(SessionRegistry* registry, std::shared_ptr<Entry> entry)
    : registry_(registry), entry_(std::move(entry)) {}

SessionUse::~SessionUse() {
  if (entry_ == nullptr) return;
  MutexLock lock(registry_->mu_);
  entry_->last_used = registry_->Now();
  --entry_->num_calls;
  --registry_->num_calls_;
}

Session& SessionUse::operator*() const { return *entry_->session; }
Session* SessionUse::operator->() const { return entry_->session.get(); }
const std::shared_ptr<Session>& SessionUse::session() const { return entry_->session; }

SessionRegistry::SessionRegistry(Options options, EnvironmentStore& store, WorkerPool& pool,
                                 Metrics& metrics)
    : options_(std::move(options)),
      store_(store),
      pool_(pool),
      metrics_(metrics),
      memory_(options_.memory == nullptr ? unlimited_ : *options_.memory) {}

SessionRegistry::~SessionRegistry() = default;

absl::Time SessionRegistry::Now() const { return options_.now ? options_.now() : SteadyNow(); }

uint64_t SessionRegistry::Entropy() const {
  if (options_.entropy) return options_.entropy();
  char bytes[sizeof(uint64_t)];
  FillRandomly(bytes, sizeof(bytes));
  uint64_t bits;
  std::memcpy(&bits, bytes, sizeof(bits));
  return bits;
}

void SessionRegistry::Create(const std::string& tenant, const v1::CreateSessionRequest& request,
                             env::AutoresetMode autoreset, Created done) {
  Wish wish;
  wish.tenant = tenant;
  wish.request_key = RequestKey(tenant, request.request_id());
  wish.payload_sha256 = DigestOf(request);
  wish.environment_id = request.environment_id();
  wish.copies = {request.num_envs(), autoreset, 0, request.max_episode_steps(), nullptr};
  wish.speed = request.has_pace() ? request.pace().speed() : options_.speed;
  if (!request.snapshot().empty()) {
    auto start = std::make_shared<v1::RestoreRequest>();
    start->set_snapshot(request.snapshot());
    *start->mutable_copy_of() = request.copy_of();
    wish.start = std::move(start);
  }
  Make(std::move(wish), std::move(done));
}

void SessionRegistry::Fork(const std::string& tenant, const v1::ForkRequest& request,
                           const Session& from, std::string snapshot, Forked done) {
  // What the sessions that are being made have come to; the last one answers.
  struct Gathered {
    Mutex mu;
    size_t num_missing ABSL_GUARDED_BY(mu) = 0;
    absl::Status status ABSL_GUARDED_BY(mu);
    std::vector<std::shared_ptr<Session>> sessions ABSL_GUARDED_BY(mu);
    Forked done;
  };
  const auto n = static_cast<size_t>(request.num_sessions());
  const auto key_of = [&](size_t i) {
    return RequestKey(tenant, absl::StrCat(request.request_id(), "/", i));
  };
  bool repeated = false;
  {
    MutexLock lock(mu_);
    for (size_t i = 0; i < n; ++i) repeated = repeated || requests_.contains(key_of(i));
  }
  auto gathered = std::make_shared<Gathered>();
  gathered->num_missing = n;
  gathered->sessions.resize(n);
  gathered->done = std::move(done);

  // Until the last session is made.
  auto held = std::make_shared<MemoryBudget::Reservation>(
      memory_.Reserve(MemoryUse::kWork, static_cast<int64_t>(snapshot.size())));
  auto start = std::make_shared<v1::RestoreRequest>();
  start->set_snapshot(std::move(snapshot));
  *start->mutable_copy_of() = request.copy_of();
  Wish wish;
  wish.tenant = tenant;
  wish.payload_sha256 = DigestOf(request);
  wish.environment_id = from.spec().id;
  wish.copies = {request.copy_of().empty() ? from.num_envs() : request.copy_of_size(),
                 from.autoreset(), 0, from.spec().max_episode_steps, nullptr};
  wish.speed = from.speed();
  wish.start = std::move(start);
  for (size_t i = 0; i < n; ++i) {
    wish.request_key = key_of(i);
    Make(wish,
         [this, gathered, repeated, i, held](absl::StatusOr<std::shared_ptr<Session>> session) {
           std::vector<std::shared_ptr<Session>> sessions;
           absl::Status status;
           {
             MutexLock lock(gathered->mu);
             if (session.ok()) {
               gathered->sessions[i] = *std::move(session);
             } else if (gathered->status.ok()) {
               gathered->status = session.status();
             }
             if (--gathered->num_missing > 0) return;
             sessions.swap(gathered->sessions);
             status = gathered->status;
           }
           if (status.ok()) {
             std::move(gathered->done)(std::move(sessions));
             return;
           }
           // What another call has been told of stays.
           for (const std::shared_ptr<Session>& made : sessions) {
             if (made != nullptr && !repeated) Unmake(made->name());
           }
           std::move(gathered->done)(status);
         });
  }
}

void SessionRegistry::Unmake(const std::string& name) {
  EntryPointer entry;
  {
    MutexLock lock(mu_);
    const auto found = sessions_.find(name);
    if (found == sessions_.end()) return;
    entry = found->second;
    requests_.erase(entry->request_key);
    sessions_.erase(found);
    Depart();
  }
  entry->session->Forget();
}

void SessionRegistry::Make(Wish wish, Created done) {
  absl::StatusOr<std::shared_ptr<Session>> answer = nullptr;
  std::string name;  // of one that there is
  bool make = false;
  {
    MutexLock lock(mu_);
    const auto known = requests_.find(wish.request_key);
    if (draining_) {
      answer = ShuttingDown();
    } else if (known == requests_.end()) {
      if (absl::Status busy = CheckBusy(); !busy.ok()) {
        answer = busy;
      } else if (absl::Status quota = CheckQuota(wish.tenant, wish.copies.num_envs); !quota.ok()) {
        answer = quota;
      } else if (num_resident_ + num_reserved_ >= options_.max_sessions) {
        answer = TooManySessions(wish.tenant);
      } else {
        wish.copies.admit = AdmitFor(TenantOf(wish.tenant));
        ++num_reserved_;
        Request& fresh = requests_[wish.request_key];
        fresh.payload_sha256 = wish.payload_sha256;
        fresh.tenant = wish.tenant;
        fresh.num_envs = wish.copies.num_envs;
        fresh.waiters.push_back(std::move(done));
        ++num_waiting_;
        make = true;
      }
    } else if (known->second.payload_sha256 != wish.payload_sha256) {
      answer = MakeError(absl::StatusCode::kInvalidArgument, reason::kPayloadMismatch,
                         "request_id was used for another session; a new session takes a new one",
                         {{"field", "request_id"},
                          {"value", RequestIdOf(wish.tenant, wish.request_key)},
                          {"accepted", "a new id, or the same request"}});
    } else if (known->second.ended) {
      answer = UnknownSession(known->second.session);
    } else if (known->second.session.empty()) {
      if (absl::Status busy = CheckBusy(); !busy.ok()) {
        answer = busy;
      } else {
        known->second.waiters.push_back(std::move(done));
        ++num_waiting_;
        return;
      }
    } else {
      name = known->second.session;
    }
  }
  if (!name.empty()) {
    Acquire(wish.tenant, name, [done = std::move(done)](absl::StatusOr<SessionUse> use) mutable {
      if (use.ok()) {
        std::move(done)(use->session());
      } else {
        std::move(done)(use.status());
      }
    });
    return;
  }
  if (!make) {
    std::move(done)(std::move(answer));
    return;
  }
  const std::string environment_id = wish.environment_id;
  wish.copies.unseeded_seed = Entropy();
  const WantedCopies wanted = wish.copies;
  store_.Make(
      environment_id, wanted,
      [this, wish = std::move(wish)](absl::StatusOr<std::unique_ptr<HostedEnvironment>> made) {
        if (made.ok() && wish.start != nullptr) {
          const auto room = ReserveMemory(memory_, MemoryUse::kWork, (*made)->BytesFor(*wish.start),
                                          "taking a snapshot over");
          absl::Status taken = room.status();
          if (taken.ok()) taken = (*made)->Restore(*wish.start, nullptr);
          if (!taken.ok()) made = taken;
        }
        Finish(wish, std::move(made));
      });
}

void SessionRegistry::Finish(const Wish& wish,
                             absl::StatusOr<std::unique_ptr<HostedEnvironment>> environment) {
  absl::StatusOr<std::shared_ptr<Session>> answer = nullptr;
  if (environment.ok()) {
    v1::JournalHead head;
    head.set_num_envs(wish.copies.num_envs);
    head.set_autoreset_mode(EncodeAutoresetMode(wish.copies.autoreset));
    head.set_max_episode_steps(wish.copies.max_episode_steps);
    head.set_unseeded_seed(wish.copies.unseeded_seed);
    head.set_tenant(wish.tenant);
    head.set_pace_speed(wish.speed);
    head.set_request_id(RequestIdOf(wish.tenant, wish.request_key));
    head.set_request_sha256(wish.payload_sha256);
    Session::Start start;
    start.name = RandomName();
    start.environment = *std::move(environment);
    start.autoreset = wish.copies.autoreset;
    start.speed = wish.speed;
    {
      MutexLock lock(mu_);
      start.tenant = TenantOf(wish.tenant);
    }
    answer = MakeSession(std::move(start), std::move(head));
    if (const absl::Status kept = (*answer)->Keep(); !kept.ok()) {
      answer = StateNotWritten(kept, /*done=*/false);
    }
  } else {
    answer = environment.status();
  }
  std::vector<Created> waiters;
  std::shared_ptr<Session> unwanted;
  {
    MutexLock lock(mu_);
    --num_reserved_;
    Request& request = requests_.at(wish.request_key);
    waiters.swap(request.waiters);
    num_waiting_ -= static_cast<int>(waiters.size());
    if (draining_ && answer.ok()) {
      unwanted = *std::move(answer);
      answer = ShuttingDown();
    }
    if (answer.ok()) {
      request.session = (*answer)->name();
      auto entry = std::make_shared<Entry>();
      entry->name = request.session;
      entry->tenant = wish.tenant;
      entry->request_key = wish.request_key;
      entry->environment_id = wish.environment_id;
      entry->num_envs = wish.copies.num_envs;
      entry->session = *answer;
      entry->last_used = Now();
      sessions_[request.session] = std::move(entry);
      ++num_resident_;
    } else {
      requests_.erase(wish.request_key);
    }
  }
  if (unwanted != nullptr) unwanted->Forget();
  if (answer.ok()) {
    LogFields fields = {{"session", (*answer)->tag()},
                        {"environment_id", (*answer)->spec().id},
                        {"num_envs", (*answer)->num_envs()}};
    if (!wish.tenant.empty()) fields.push_back({"tenant", wish.tenant});
    LogLine(Severity::kInfo, "session created", fields);
  } else {
    LogLine(Severity::kWarning, "creating a session failed",
            {{"environment_id", wish.environment_id},
             {"num_envs", wish.copies.num_envs},
             {"reason", ReasonTold(answer.status())},
             {"error", answer.status().message()}});
  }
  for (Created& waiter : waiters) std::move(waiter)(answer);
}

void SessionRegistry::Acquire(const std::string& tenant, const std::string& name, Acquired done) {
  absl::Status refused;
  EntryPointer entry;
  bool bring_back = false;
  {
    MutexLock lock(mu_);
    const auto found = sessions_.find(name);
    if (found != sessions_.end() && found->second->tenant == tenant) entry = found->second;
    if (draining_) {
      refused = ShuttingDown();
    } else if (entry == nullptr) {
      refused = UnknownSession(name);
    } else if (const int calls = NumCallsOf(*entry); calls >= options_.max_calls_per_session) {
      refused = TooManyCalls(calls);
    } else if (absl::Status busy = CheckBusy(); !busy.ok()) {
      refused = std::move(busy);
    } else if (entry->session != nullptr && !entry->moving) {
      ++entry->num_calls;
      ++num_calls_;
      entry->last_used = Now();
    } else {
      if (!entry->moving) {
        refused = BeginMove(*entry);
        bring_back = refused.ok();
      }
      if (refused.ok()) {
        entry->waiters.push_back(std::move(done));
        ++num_waiting_;
        if (!bring_back) return;
      }
    }
  }
  if (!refused.ok()) {
    std::move(done)(refused);
  } else if (bring_back) {
    BringBack(std::move(entry));
  } else {
    std::move(done)(SessionUse(this, std::move(entry)));
  }
}

absl::StatusOr<std::shared_ptr<Session>> SessionRegistry::Remove(const std::string& tenant,
                                                                 const std::string& name,
                                                                 int64_t generation) {
  EntryPointer entry;
  bool on_disk = false;
  {
    MutexLock lock(mu_);
    // What is written down now could not be taken away any more beside what runs on.
    if (draining_) return ShuttingDown();
    const auto found = sessions_.find(name);
    if (found == sessions_.end() || found->second->tenant != tenant) return UnknownSession(name);
    entry = found->second;
    const int64_t holders =
        entry->session == nullptr ? entry->generation : entry->session->generation();
    if (generation != 0 && generation != holders) return Superseded(generation, holders);
    if (requests_.contains(entry->request_key)) Forget(entry->request_key);
    sessions_.erase(found);
    entry->removed = true;
    if (entry->moving) return nullptr;  // whoever moves it sees to the rest
    on_disk = entry->session == nullptr;
    if (!on_disk) {
      Depart();
      entry->session->End();
      return entry->session;
    }
  }
  RemoveFromDisk(*entry);
  return nullptr;
}

int SessionRegistry::RemoveOld() {
  std::vector<EntryPointer> old;
  {
    MutexLock lock(mu_);
    const absl::Time used_before = Now() - options_.retention;
    for (auto it = sessions_.begin(); it != sessions_.end();) {
      const auto here = it++;
      const EntryPointer& entry = here->second;
      if (entry->num_calls > 0 || entry->moving || !entry->lost.empty() ||
          entry->last_used > used_before) {
        continue;
      }
      entry->removed = true;
      if (entry->session != nullptr) Depart();
      Forget(entry->request_key);
      old.push_back(entry);
      sessions_.erase(here);
    }
  }
  for (const EntryPointer& entry : old) {
    if (entry->session != nullptr) {
      entry->session->Forget();
    } else {
      RemoveFromDisk(*entry);
    }
  }
  return static_cast<int>(old.size());
}

void EndAndForget(absl::StatusOr<std::shared_ptr<Session>> removed,
                  absl::AnyInvocable<void(const absl::Status&) &&> done) {
  if (!removed.ok() || *removed == nullptr) {
    std::move(done)(removed.status());
    return;
  }
  // After the answers of its calls; the session itself goes with this task.
  Session& session = **removed;
  LogLine(Severity::kInfo, "session deleted",
          {{"session", session.tag()}, {"environment_id", session.spec().id}});
  session.Post([session = *std::move(removed), done = std::move(done)](Bid bid) mutable {
    if (bid == Bid::kGo) {  // its journal is left to the next server, and to a repeat of the call
      std::move(done)(ShuttingDown());
      return Turn::kOver;
    }
    session->Forget();
    session.reset();
    std::move(done)(absl::OkStatus());
    return Turn::kOver;
  });
}

void SessionRegistry::Forget(const std::string& request_key) {
  requests_.at(request_key).ended = true;
  ended_requests_.push_back(request_key);
  while (ended_requests_.size() > kMaxEndedRequests) {
    requests_.erase(ended_requests_.front());
    ended_requests_.pop_front();
  }
}

void SessionRegistry::Drain() {
  std::vector<Created> waiters;
  std::vector<Acquired> acquiring;
  std::vector<std::shared_ptr<Session>> sessions;
  {
    MutexLock lock(mu_);
    draining_ = true;
    for (auto& [name, entry] : sessions_) {
      if (entry->session != nullptr) sessions.push_back(entry->session);
      num_waiting_ -= static_cast<int>(entry->waiters.size());
      for (Acquired& waiter : entry->waiters) acquiring.push_back(std::move(waiter));
      entry->waiters.clear();
    }
    for (auto& [id, request] : requests_) {
      num_waiting_ -= static_cast<int>(request.waiters.size());
      for (Created& waiter : request.waiters) waiters.push_back(std::move(waiter));
      request.waiters.clear();
    }
  }
  timer_.Hurry();
  for (Created& waiter : waiters) std::move(waiter)(ShuttingDown());
  for (Acquired& waiter : acquiring) std::move(waiter)(ShuttingDown());
  for (const std::shared_ptr<Session>& session : sessions) session->Close();
}

int SessionRegistry::num_calls() const {
  MutexLock lock(mu_);
  return num_calls_;
}

int SessionRegistry::num_sessions() const {
  MutexLock lock(mu_);
  return num_resident_;
}

int SessionRegistry::num_envs() const {
  MutexLock lock(mu_);
  int num_envs = 0;
  for (const auto& [name, entry] : sessions_) {
    if (entry->session != nullptr) num_envs += entry->num_envs;
  }
  return num_envs;
}

}  // namespace livnd::server
