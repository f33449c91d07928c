#include "server/session/environment_store.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "server/machine/log.h"
#include "server/machine/steady_time.h"
#include "server/wire/errors.h"
#include "server/wire/memory_needs.h"

namespace livnd::server {

EnvironmentStore::EnvironmentStore(Specs specs, Builder builder, WorkerPool& pool,
                                   MemoryBudget* memory)
    : pool_(pool),
      memory_(memory == nullptr ? unlimited_ : *memory),
      offered_(std::make_shared<const Offered>(Offered{std::move(specs), {}})),
      builder_(std::make_shared<const Builder>(std::move(builder))) {}

EnvironmentStore::Key EnvironmentStore::KeyOf(const std::string& environment_id) const {
  const auto version = versions_.find(environment_id);
  return {environment_id, version == versions_.end() ? "" : version->second};
}

void EnvironmentStore::Exchange(Specs specs, Builder builder, Versions versions,
                                BuildBytes build_bytes, NotOffered not_offered) {
  MutexLock lock(mu_);
  offered_ = std::make_shared<const Offered>(Offered{std::move(specs), std::move(not_offered)});
  builder_ = std::make_shared<const Builder>(std::move(builder));
  versions_ = std::move(versions);
  build_bytes_ = std::move(build_bytes);
  std::set<Key> keys;
  for (const env::EnvironmentSpec& spec : offered_->specs) keys.insert(KeyOf(spec.id));
  for (auto it = models_.begin(); it != models_.end();) {
    const auto here = it++;
    // Who waits for one that is being built gets it.
    if (keys.count(here->first) == 0 && here->second.waiters.empty()) models_.erase(here);
  }
}

std::shared_ptr<const EnvironmentStore::Offered> EnvironmentStore::offered() const {
  MutexLock lock(mu_);
  return offered_;
}

absl::StatusOr<std::shared_ptr<const env::EnvironmentSpec>> EnvironmentStore::Find(
    absl::string_view environment_id) const {
  const std::shared_ptr<const Offered> offered = this->offered();
  for (const env::EnvironmentSpec& spec : offered->specs) {
    if (spec.id == environment_id) {
      return std::shared_ptr<const env::EnvironmentSpec>(offered, &spec);
    }
  }
  absl::string_view why;
  for (const v1::EnvironmentNotOffered& one : offered->not_offered) {
    if (one.environment_id() == environment_id) why = one.why();
  }
  return NotFound(reason::kUnknownEnvironment, "environment_id", environment_id,
                  absl::StrJoin(offered->specs, ", ",
                                [](std::string* out, const env::EnvironmentSpec& spec) {
                                  out->append(spec.id);
                                }),
                  why);
}

void EnvironmentStore::Make(const std::string& environment_id, const WantedCopies& wanted,
                            Done done) {
  if (auto found = Find(environment_id); !found.ok()) {
    pool_.SubmitAside([status = found.status(), done = std::move(done)]() mutable {
      std::move(done)(std::move(status));
    });
    return;
  }
  Waiter waiter{wanted, std::move(done)};
  Maker maker;
  {
    MutexLock lock(mu_);
    const Key key = KeyOf(environment_id);
    Model& model = models_[key];
    if (model.maker.empty()) {
      model.waiters.push_back(std::move(waiter));
      if (model.waiters.size() > 1) return;  // the first one's build is under way
      to_build_.emplace_back(key, builder_);
      BeginBuilds();
      return;
    }
    maker = model.maker;
  }
  MakeFrom(std::move(maker), std::move(waiter));
}

void EnvironmentStore::BeginBuilds() {
  while (!to_build_.empty() && num_builds_ < std::max(1, pool_.num_aside() - 1)) {
    ++num_builds_;
    pool_.SubmitAside(
        [this, next = std::move(to_build_.front())] { Build(next.first, *next.second); });
    to_build_.pop_front();
  }
}

bool EnvironmentStore::building() const {
  MutexLock lock(mu_);
  for (const auto& [key, model] : models_) {
    if (!model.waiters.empty()) return true;
  }
  return false;
}

void EnvironmentStore::Build(const Key& key, const Builder& builder) {
  const std::string& environment_id = key.first;
  LogLine(Severity::kInfo, "building", {{"environment_id", environment_id}});
  const absl::Time start = SteadyNow();
  absl::StatusOr<Maker> maker = BuildWithin(environment_id, builder);
  LogFields fields = {{"environment_id", environment_id}, {"duration_ms", SteadyNow() - start}};
  if (!maker.ok()) {
    fields.push_back({"reason", ReasonTold(maker.status())});
    fields.push_back({"error", maker.status().message()});
  }
  LogLine(maker.ok() ? Severity::kInfo : Severity::kError, maker.ok() ? "built" : "building failed",
          fields);
  std::vector<Waiter> waiters;
  {
    MutexLock lock(mu_);
    Model& model = models_[key];
    waiters.swap(model.waiters);
    if (KeyOf(environment_id) != key) {
      models_.erase(key);  // it was exchanged meanwhile
    } else if (maker.ok()) {
      model.maker = *maker;
    }
    --num_builds_;
    BeginBuilds();
  }
  for (Waiter& waiter : waiters) {
    if (maker.ok()) {
      MakeFrom(*maker, std::move(waiter));
    } else {
      std::move(waiter.done)(maker.status());
    }
  }
}

absl::StatusOr<EnvironmentStore::Maker> EnvironmentStore::BuildWithin(
    const std::string& environment_id, const Builder& builder) {
  int64_t bytes = 0;
  {
    MutexLock lock(mu_);
    const auto found = build_bytes_.find(environment_id);
    if (found != build_bytes_.end()) bytes = found->second;
  }
  LIVND_ASSIGN_OR_RETURN(
      MemoryBudget::Reservation room,
      ReserveMemory(memory_, MemoryUse::kModels, bytes, absl::StrCat("building ", environment_id)));
  LIVND_ASSIGN_OR_RETURN(Maker maker, builder(environment_id, pool_));
  maker.model_ = std::make_shared<const MemoryBudget::Reservation>(std::move(room));
  return maker;
}

absl::StatusOr<std::unique_ptr<HostedEnvironment>> EnvironmentStore::MakeWithin(
    const Maker& maker, const WantedCopies& wanted) {
  const int64_t bytes = maker.BytesFor(wanted);
  if (wanted.admit) LIVND_RETURN_IF_ERROR(wanted.admit(bytes));
  LIVND_ASSIGN_OR_RETURN(MemoryBudget::Reservation room,
                         ReserveMemory(memory_, MemoryUse::kSessions, bytes,
                                       absl::StrCat("a session with num_envs ", wanted.num_envs)));
  LIVND_ASSIGN_OR_RETURN(std::unique_ptr<HostedEnvironment> made, maker(wanted));
  made->Hold(std::move(room), maker.model_);
  return made;
}

void EnvironmentStore::MakeFrom(Maker maker, Waiter waiter) {
  pool_.SubmitAside([this, maker = std::move(maker), waiter = std::move(waiter)]() mutable {
    std::move(waiter.done)(MakeWithin(maker, waiter.wanted));
  });
}

}  // namespace livnd::server
