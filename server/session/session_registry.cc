#include "server/session/session_registry.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "io/system/truth.h"
#include "server/machine/log.h"
#include "server/session/holdings.h"
#include "server/wire/errors.h"
#include "server/wire/message_bytes.h"

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

// No tenant's name has a line break.
std::string RequestKey(const std::string& tenant, absl::string_view request_id) {
  return absl::StrCat(tenant, "\n", request_id);
}

}  // namespace

struct SessionUse::Entry {
  std::shared_ptr<Session> session;
  std::string tenant;
  std::string request_key;
  int num_calls = 0;     // guarded by the registry's mutex
  absl::Time last_used;  // guarded by the registry's mutex
};

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

SessionRegistry::SessionRegistry(Options options, EnvironmentStore& store, WorkerPool& pool,
                                 Metrics& metrics)
    : options_(std::move(options)), store_(store), pool_(pool), metrics_(metrics) {}

SessionRegistry::~SessionRegistry() = default;

absl::Time SessionRegistry::Now() const { return options_.now ? options_.now() : absl::Now(); }

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
  wish.copies = {request.num_envs(), autoreset, 0, request.max_episode_steps()};
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

  auto start = std::make_shared<v1::RestoreRequest>();
  start->set_snapshot(std::move(snapshot));
  *start->mutable_copy_of() = request.copy_of();
  Wish wish;
  wish.tenant = tenant;
  wish.payload_sha256 = DigestOf(request);
  wish.environment_id = from.spec().id;
  wish.copies = {request.copy_of().empty() ? from.num_envs() : request.copy_of_size(),
                 from.autoreset(), 0, from.spec().max_episode_steps};
  wish.start = std::move(start);
  for (size_t i = 0; i < n; ++i) {
    wish.request_key = key_of(i);
    Make(wish, [this, gathered, repeated, i](absl::StatusOr<std::shared_ptr<Session>> session) {
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
  std::shared_ptr<SessionUse::Entry> entry;  // freed without the lock
  MutexLock lock(mu_);
  const auto found = sessions_.find(name);
  if (found == sessions_.end()) return;
  entry = found->second;
  requests_.erase(entry->request_key);
  sessions_.erase(found);
}

void SessionRegistry::Make(Wish wish, Created done) {
  absl::StatusOr<std::shared_ptr<Session>> answer = nullptr;
  bool make = false;
  {
    MutexLock lock(mu_);
    const auto known = requests_.find(wish.request_key);
    if (draining_) {
      answer = ShuttingDown();
    } else if (known == requests_.end()) {
      if (static_cast<int>(sessions_.size()) + num_reserved_ >= options_.max_sessions) {
        answer = TooManySessions(wish.tenant);
      } else {
        ++num_reserved_;
        Request& fresh = requests_[wish.request_key];
        fresh.payload_sha256 = wish.payload_sha256;
        fresh.waiters.push_back(std::move(done));
        make = true;
      }
    } else if (known->second.payload_sha256 != wish.payload_sha256) {
      answer = MakeError(absl::StatusCode::kInvalidArgument, reason::kPayloadMismatch,
                         "request_id was used for another session; a new session takes a new one",
                         {{"field", "request_id"},
                          {"value", wish.request_key.substr(wish.tenant.size() + 1)},
                          {"accepted", "a new id, or the same request"}});
    } else if (known->second.ended) {
      answer = UnknownSession(known->second.session);
    } else if (known->second.session.empty()) {
      known->second.waiters.push_back(std::move(done));
      return;
    } else {
      answer = sessions_.at(known->second.session)->session;
    }
  }
  if (!make) {
    std::move(done)(std::move(answer));
    return;
  }
  const std::string environment_id = wish.environment_id;
  WantedCopies wanted = wish.copies;
  wanted.unseeded_seed = Entropy();
  store_.Make(
      environment_id, wanted,
      [this, wish = std::move(wish)](absl::StatusOr<std::unique_ptr<HostedEnvironment>> made) {
        if (made.ok() && wish.start != nullptr) {
          if (absl::Status s = (*made)->Restore(*wish.start, nullptr); !s.ok()) made = s;
        }
        Finish(wish, std::move(made));
      });
}

void SessionRegistry::Finish(const Wish& wish,
                             absl::StatusOr<std::unique_ptr<HostedEnvironment>> environment) {
  absl::StatusOr<std::shared_ptr<Session>> answer = nullptr;
  if (environment.ok()) {
    answer = std::make_shared<Session>(RandomName(), *std::move(environment), wish.copies.autoreset,
                                       pool_, metrics_);
  } else {
    answer = environment.status();
  }
  std::vector<Created> waiters;
  {
    MutexLock lock(mu_);
    --num_reserved_;
    Request& request = requests_.at(wish.request_key);
    waiters.swap(request.waiters);
    if (draining_) answer = ShuttingDown();
    if (answer.ok()) {
      request.session = (*answer)->name();
      auto entry = std::make_shared<SessionUse::Entry>();
      entry->session = *answer;
      entry->tenant = wish.tenant;
      entry->request_key = wish.request_key;
      entry->last_used = Now();
      sessions_[request.session] = std::move(entry);
    } else {
      requests_.erase(wish.request_key);
    }
  }
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

absl::StatusOr<SessionUse> SessionRegistry::Acquire(const std::string& tenant,
                                                    const std::string& name) {
  MutexLock lock(mu_);
  if (draining_) return ShuttingDown();
  const auto found = sessions_.find(name);
  if (found == sessions_.end() || found->second->tenant != tenant) return UnknownSession(name);
  SessionUse::Entry& entry = *found->second;
  if (entry.num_calls >= options_.max_calls_per_session) {
    return MakeError(absl::StatusCode::kResourceExhausted, reason::kTooManyCalls,
                     absl::StrCat("the session has ", entry.num_calls, " calls waiting"),
                     {{"accepted", absl::StrCat("at most ", options_.max_calls_per_session)}});
  }
  ++entry.num_calls;
  ++num_calls_;
  entry.last_used = Now();
  return SessionUse(this, found->second);
}

absl::StatusOr<std::shared_ptr<Session>> SessionRegistry::Remove(const std::string& tenant,
                                                                 const std::string& name) {
  MutexLock lock(mu_);
  const auto found = sessions_.find(name);
  if (found == sessions_.end() || found->second->tenant != tenant) return UnknownSession(name);
  std::shared_ptr<Session> session = found->second->session;
  Forget(found->second->request_key);
  sessions_.erase(found);
  session->End();
  return session;
}

std::vector<std::shared_ptr<Session>> SessionRegistry::RemoveIdle() {
  std::vector<std::shared_ptr<Session>> removed;
  MutexLock lock(mu_);
  const absl::Time used_before = Now() - options_.idle_timeout;
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    const auto here = it++;
    const SessionUse::Entry& entry = *here->second;
    if (entry.num_calls > 0 || entry.last_used > used_before) continue;
    removed.push_back(entry.session);
    Forget(entry.request_key);
    sessions_.erase(here);
  }
  return removed;
}

absl::Status SessionRegistry::TooManySessions(const std::string& tenant) const {
  std::vector<Holding> holdings;
  int num_of_others = 0;
  const absl::Time now = Now();
  for (const auto& [name, entry] : sessions_) {
    if (entry->tenant != tenant) {
      ++num_of_others;
      continue;
    }
    const bool in_use = entry->num_calls > 0;
    holdings.push_back({entry->session->spec().id, entry->session->num_envs(), in_use,
                        in_use ? absl::ZeroDuration() : now - entry->last_used});
  }
  const std::string holders = DescribeHoldings(holdings, options_.idle_timeout, num_of_others);
  return MakeError(
      absl::StatusCode::kResourceExhausted, reason::kTooManySessions,
      absl::StrCat("the server holds ", options_.max_sessions,
                   " sessions, as many as it takes; delete one first: ", holders),
      {{"accepted", absl::StrCat("at most ", options_.max_sessions)}, {"holders", holders}});
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
  std::vector<std::shared_ptr<Session>> sessions;
  {
    MutexLock lock(mu_);
    draining_ = true;
    for (const auto& [name, entry] : sessions_) sessions.push_back(entry->session);
    for (auto& [id, request] : requests_) {
      for (Created& waiter : request.waiters) waiters.push_back(std::move(waiter));
      request.waiters.clear();
    }
  }
  for (Created& waiter : waiters) std::move(waiter)(ShuttingDown());
  for (const std::shared_ptr<Session>& session : sessions) session->Close();
}

int SessionRegistry::num_calls() const {
  MutexLock lock(mu_);
  return num_calls_;
}

int SessionRegistry::num_sessions() const {
  MutexLock lock(mu_);
  return static_cast<int>(sessions_.size());
}

int SessionRegistry::num_envs() const {
  MutexLock lock(mu_);
  int num_envs = 0;
  for (const auto& [name, entry] : sessions_) num_envs += entry->session->num_envs();
  return num_envs;
}

}  // namespace livnd::server
