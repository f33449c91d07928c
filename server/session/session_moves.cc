// The part of the registry that moves sessions between memory and disk.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status_macros.h"
#include "server/journal/journal_file.h"
#include "server/machine/log.h"
#include "server/machine/steady_time.h"
#include "server/session/redo.h"
#include "server/session/session_entry.h"
#include "server/session/session_registry.h"
#include "server/wire/errors.h"
#include "server/wire/memory_needs.h"
#include "server/wire/snapshot.h"
#include "server/wire/spec.h"

namespace livnd::server {
namespace {

// What an earlier process left is kept for so long after the start, however old the clock says it is:
// that may have been put right meanwhile, and nobody could call while there was no server.
constexpr absl::Duration kGrace = absl::Hours(1);

// Whether trying again later may help.
bool MayPass(const absl::Status& status) {
  return status.code() == absl::StatusCode::kResourceExhausted ||
         status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kInternal;
}

constexpr int64_t kTimesRead = 3;

// 0 where there is no such file, which the reading then tells.
int64_t SizeOf(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : static_cast<int64_t>(size);
}

}  // namespace

std::shared_ptr<Session> SessionRegistry::MakeSession(Session::Start start, v1::JournalHead head) {
  start.environment->recorder().SetPlace(PlaceOf(head.tenant(), start.name));
  start.environment->recorder().SetKey(RecordingKey(head));
  if (options_.journals != nullptr) {
    EncodeIdentity(start.environment->identity(), head.mutable_start());
    start.journal = options_.journals->JournalOf(start.name, std::move(head));
  }
  start.memory = &memory_;
  return std::make_shared<Session>(std::move(start), pool_, metrics_);
}

absl::Status SessionRegistry::BeginMove(Entry& entry) {
  if (num_resident_ + num_reserved_ >= options_.max_sessions) return TooManySessions(entry.tenant);
  entry.moving = true;
  ++num_reserved_;
  return absl::OkStatus();
}

void SessionRegistry::BringBack(EntryPointer entry) {
  pool_.SubmitAside([this, entry = std::move(entry)] {
    const std::string path = options_.journals->PathOf(entry->name);
    // The file, what is read of it, and the copies as they are taken out.
    absl::StatusOr<MemoryBudget::Reservation> room =
        ReserveMemory(memory_, MemoryUse::kWork, kTimesRead * SizeOf(path), "reading the session");
    if (!room.ok()) {
      Arrive(entry, room.status());
      return;
    }
    absl::StatusOr<Journal> journal = ReadJournal(path);
    absl::Status status = journal.status();
    WantedCopies wanted;
    if (status.ok()) {
      absl::StatusOr<WantedCopies> of_head = WantedBy(journal->head);
      if (of_head.ok()) wanted = *of_head;
      status = of_head.status();
    }
    if (status.ok()) status = store_.Find(entry->environment_id).status();
    if (!status.ok()) {
      Arrive(entry, status);
      return;
    }
    {
      MutexLock lock(mu_);
      wanted.admit = AdmitFor(TenantOf(entry->tenant));
    }
    store_.Make(entry->environment_id, wanted,
                [this, entry, journal = *std::move(journal),
                 room = *std::move(room)](absl::StatusOr<std::unique_ptr<HostedEnvironment>> made) {
                  if (made.ok()) {
                    Arrive(entry, Redo(*entry, journal, *std::move(made)));
                  } else {
                    Arrive(entry, made.status());
                  }
                });
  });
}

absl::StatusOr<std::shared_ptr<Session>> SessionRegistry::Redo(
    const Entry& entry, const Journal& journal, std::unique_ptr<HostedEnvironment> environment) {
  v1::JournalHead head = journal.head;
  environment->recorder().SetPlace(PlaceOf(entry.tenant, entry.name));
  LIVND_ASSIGN_OR_RETURN(Redone redone, RedoJournal(head, journal.records, *environment, [] {}));
  Session::Start start;
  start.name = entry.name;
  {
    MutexLock lock(mu_);
    start.tenant = TenantOf(entry.tenant);
  }
  start.environment = std::move(environment);
  LIVND_ASSIGN_OR_RETURN(start.autoreset, ParseAutoresetMode(head.autoreset_mode()));
  start.generation = redone.generation;
  start.log = std::move(redone.log);
  start.speed = head.pace_speed();
  head.clear_start();
  head.clear_last_request();
  head.clear_last_answer();
  head.clear_recording();
  std::shared_ptr<Session> session = MakeSession(std::move(start), std::move(head));
  if (const absl::Status kept = session->Keep(); !kept.ok()) return StateNotWritten(kept, false);
  return session;
}

void SessionRegistry::Arrive(const EntryPointer& entry,
                             absl::StatusOr<std::shared_ptr<Session>> session) {
  absl::Status status = session.status();
  if (!status.ok()) {
    LogLine(Severity::kError, "session not brought back",
            {{"session", Session::TagOf(entry->name)},
             {"environment_id", entry->environment_id},
             {"reason", ReasonTold(status)},
             {"error", status.message()}});
  }
  Answers answers;
  std::shared_ptr<Session> unwanted;
  {
    MutexLock lock(mu_);
    entry->moving = false;
    --num_reserved_;
    entry->last_used = Now();
    if (status.ok() && entry->removed) {
      unwanted = *std::move(session);
      status = UnknownSession(entry->name);
    } else if (status.ok()) {
      entry->session = *std::move(session);
      entry->lost.clear();
      ++num_resident_;
    } else if (!MayPass(status)) {
      entry->lost = std::string(status.message());
      status = LostSession(entry->name, entry->lost);
    }
    answers = AnswerWaiters(entry, status);
  }
  if (unwanted != nullptr) unwanted->Forget();
  for (auto& answer : answers) std::move(answer)();
}

SessionRegistry::Answers SessionRegistry::AnswerWaiters(const EntryPointer& entry,
                                                        const absl::Status& status) {
  Answers answers;
  for (Acquired& waiter : entry->waiters) {
    if (status.ok()) {
      ++entry->num_calls;
      ++num_calls_;
      answers.push_back([this, entry, waiter = std::move(waiter)]() mutable {
        std::move(waiter)(SessionUse(this, entry));
      });
    } else {
      answers.push_back(
          [status, waiter = std::move(waiter)]() mutable { std::move(waiter)(status); });
    }
  }
  num_waiting_ -= static_cast<int>(entry->waiters.size());
  entry->waiters.clear();
  return answers;
}

void SessionRegistry::ParkIdle() {
  if (options_.journals == nullptr) return;
  std::vector<EntryPointer> idle;
  {
    MutexLock lock(mu_);
    const absl::Time used_before = Now() - options_.lease;
    for (const auto& [name, entry] : sessions_) {
      if (draining_ || entry->session == nullptr || entry->moving || entry->num_calls > 0 ||
          entry->last_used > used_before) {
        continue;
      }
      entry->moving = true;
      idle.push_back(entry);
    }
  }
  for (const EntryPointer& entry : idle) {
    entry->session->Post([this, entry](Bid bid) {
      Leave(entry, bid == Bid::kGo ? ShuttingDown() : entry->session->Park());
      return Turn::kOver;
    });
  }
}

void SessionRegistry::Leave(const EntryPointer& entry, const absl::Status& parked) {
  if (!parked.ok()) {
    LogLine(Severity::kWarning, "idle session stays in memory",
            {{"session", Session::TagOf(entry->name)}, {"error", parked.message()}});
  }
  Answers answers;
  std::shared_ptr<Session> gone;
  bool removed = false, bring_back = false;
  {
    MutexLock lock(mu_);
    entry->moving = false;
    removed = entry->removed;
    if (parked.ok() || removed) {
      gone = std::move(entry->session);
      entry->generation = gone->generation();
      entry->recording = gone->recording();
      entry->cut_short = gone->cut_short();
      Depart();
    } else {
      entry->last_used = Now();
    }
    if (removed) {
      answers = AnswerWaiters(entry, UnknownSession(entry->name));
    } else if (entry->session != nullptr) {
      answers = AnswerWaiters(entry, absl::OkStatus());
    } else if (!entry->waiters.empty()) {
      const absl::Status begun = BeginMove(*entry);
      bring_back = begun.ok();
      if (!bring_back) answers = AnswerWaiters(entry, begun);
    }
  }
  if (removed) gone->Forget();
  gone.reset();
  if (bring_back) BringBack(entry);
  for (auto& answer : answers) std::move(answer)();
}

void SessionRegistry::RemoveFromDisk(const Entry& entry) const {
  if (const absl::Status s = options_.journals->Remove(entry.name); !s.ok()) {
    LogLine(Severity::kWarning, "session that has ended is left on the disk",
            {{"session", Session::TagOf(entry.name)}, {"error", s.message()}});
  }
  if (entry.recording.empty() || options_.recordings == nullptr) return;
  options_.recordings->GiveUp(entry.tenant, entry.recording, entry.cut_short);
}

Recorder::Place SessionRegistry::PlaceOf(const std::string& tenant,
                                         const std::string& session) const {
  return {options_.recordings, &memory_, tenant, std::string(Session::TagOf(session)),
          options_.journals != nullptr};
}

absl::Status SessionRegistry::Recover() {
  if (options_.journals == nullptr) return absl::OkStatus();
  LIVND_ASSIGN_OR_RETURN(const std::vector<JournalFolder::Found> journals,
                         options_.journals->List());
  // When a file was written only the wall's clock says; here the steady one takes over.
  const absl::Time wall_now = absl::Now(), now = Now();
  const absl::Duration longest = std::max(options_.retention - kGrace, absl::ZeroDuration());
  std::vector<EntryPointer> were_in_memory;
  for (const JournalFolder::Found& found : journals) {
    const auto journal = ReadJournal(options_.journals->PathOf(found.session), ReadWhat::kHead);
    auto entry = std::make_shared<Entry>();
    entry->name = found.session;
    entry->last_used =
        now - std::clamp(wall_now - found.last_written, absl::ZeroDuration(), longest);
    MutexLock lock(mu_);
    sessions_[entry->name] = entry;
    if (!journal.ok()) {
      entry->lost = std::string(journal.status().message());
      LogLine(Severity::kError, "session not brought back",
              {{"session", Session::TagOf(entry->name)}, {"error", entry->lost}});
      continue;
    }
    const v1::JournalHead& head = journal->head;
    entry->tenant = head.tenant();
    entry->request_key = RequestKey(head.tenant(), head.request_id());
    entry->environment_id = head.start().environment_id();
    entry->num_envs = head.num_envs();
    entry->generation = head.generation();
    entry->recording = head.recording().recording();
    entry->cut_short = !head.recording().why().empty();
    Request& request = requests_[entry->request_key];
    request.payload_sha256 = head.request_sha256();
    request.session = entry->name;
    if (!head.parked()) were_in_memory.push_back(entry);
  }
  if (journals.empty()) return absl::OkStatus();

  const absl::Time start = SteadyNow();
  {
    MutexLock registry_lock(mu_);
    recovering_ = true;
  }
  Mutex mu;
  CondVar changed;
  size_t num_left = were_in_memory.size(), num_back = 0;
  for (const EntryPointer& entry : were_in_memory) {
    Acquire(entry->tenant, entry->name, [&](absl::StatusOr<SessionUse> use) {
      MutexLock lock(mu);
      --num_left;
      if (use.ok()) ++num_back;
      changed.Signal();
    });
  }
  MutexLock lock(mu);
  for (absl::Time told = start; num_left > 0;) {
    changed.WaitFor(mu, absl::Seconds(2));
    if (SteadyNow() - told < absl::Seconds(2)) continue;
    told = SteadyNow();
    LogLine(Severity::kInfo, "bringing back sessions", {{"num_left", num_left}});
  }
  const absl::Duration took = SteadyNow() - start;
  {
    MutexLock registry_lock(mu_);
    recovery_ = took;
    recovering_ = false;
  }
  LogLine(Severity::kInfo, "sessions brought back",
          {{"num_sessions", num_back},
           {"num_on_disk", journals.size() - num_back},
           {"duration_ms", took}});
  return absl::OkStatus();
}

void SessionRegistry::Settle() {
  std::vector<std::shared_ptr<Session>> at_rest;
  {
    MutexLock lock(mu_);
    for (const auto& [name, entry] : sessions_) {
      if (entry->session != nullptr && !entry->moving && entry->num_calls == 0) {
        at_rest.push_back(entry->session);
      }
    }
  }
  // Nobody calls them any more.
  for (const std::shared_ptr<Session>& session : at_rest) session->Settle();
}

}  // namespace livnd::server
