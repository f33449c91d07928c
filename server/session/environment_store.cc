#include "server/session/environment_store.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/machine/log.h"
#include "server/wire/errors.h"

namespace livnd::server {

EnvironmentStore::EnvironmentStore(std::vector<env::EnvironmentSpec> specs, Builder builder,
                                   WorkerPool& pool)
    : specs_(std::move(specs)), builder_(std::move(builder)), pool_(pool) {}

absl::StatusOr<const env::EnvironmentSpec*> EnvironmentStore::Find(
    absl::string_view environment_id) const {
  for (const env::EnvironmentSpec& spec : specs_) {
    if (spec.id == environment_id) return &spec;
  }
  return NotFound(reason::kUnknownEnvironment, "environment_id", environment_id,
                  absl::StrJoin(specs_, ", ", [](std::string* out, const env::EnvironmentSpec& s) {
                    out->append(s.id);
                  }));
}

void EnvironmentStore::Make(const std::string& environment_id, const WantedCopies& wanted,
                            Done done) {
  Waiter waiter{wanted, std::move(done)};
  Maker maker;
  {
    MutexLock lock(mu_);
    Model& model = models_[environment_id];
    if (!model.maker) {
      model.waiters.push_back(std::move(waiter));
      if (model.waiters.size() > 1) return;  // the first one's build is under way
      to_build_.push_back(environment_id);
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
    pool_.SubmitAside([this, id = std::move(to_build_.front())] { Build(id); });
    to_build_.pop_front();
  }
}

bool EnvironmentStore::building() const {
  MutexLock lock(mu_);
  for (const auto& [id, model] : models_) {
    if (!model.waiters.empty()) return true;
  }
  return false;
}

void EnvironmentStore::Build(const std::string& environment_id) {
  LogLine(Severity::kInfo, "building", {{"environment_id", environment_id}});
  const absl::Time start = absl::Now();
  absl::StatusOr<Maker> maker = builder_(environment_id, pool_);
  LogFields fields = {{"environment_id", environment_id}, {"duration_ms", absl::Now() - start}};
  if (!maker.ok()) {
    fields.push_back({"reason", ReasonTold(maker.status())});
    fields.push_back({"error", maker.status().message()});
  }
  LogLine(maker.ok() ? Severity::kInfo : Severity::kError, maker.ok() ? "built" : "building failed",
          fields);
  std::vector<Waiter> waiters;
  {
    MutexLock lock(mu_);
    Model& model = models_[environment_id];
    waiters.swap(model.waiters);
    if (maker.ok()) model.maker = *maker;
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

void EnvironmentStore::MakeFrom(Maker maker, Waiter waiter) {
  pool_.SubmitAside([maker = std::move(maker), waiter = std::move(waiter)]() mutable {
    std::move(waiter.done)(maker(waiter.wanted));
  });
}

}  // namespace livnd::server
