// The part of the registry that tells what sessions there are, and who still wants them.
#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/session/session_entry.h"
#include "server/session/session_registry.h"
#include "server/wire/errors.h"

namespace livnd::server {
namespace {

constexpr size_t kMinBeginning = 8;  // what logs show of a name

}  // namespace

absl::Status SessionRegistry::RenewLease(const std::string& tenant, const std::string& name) {
  MutexLock lock(mu_);
  if (draining_) return ShuttingDown();
  const auto found = sessions_.find(name);
  if (found == sessions_.end() || found->second->tenant != tenant) return UnknownSession(name);
  found->second->last_used = Now();
  return absl::OkStatus();
}

std::vector<v1::SessionSummary> SessionRegistry::List() const {
  std::vector<v1::SessionSummary> out;
  {
    MutexLock lock(mu_);
    const absl::Time now = Now();
    for (const auto& [name, entry] : sessions_) {
      v1::SessionSummary& summary = out.emplace_back();
      summary.set_session(name);
      summary.set_tenant(entry->tenant);
      summary.set_environment_id(entry->environment_id);
      summary.set_num_envs(entry->num_envs);
      const bool in_memory = entry->session != nullptr;
      summary.set_place(!entry->lost.empty() ? v1::SESSION_PLACE_LOST
                        : in_memory          ? v1::SESSION_PLACE_MEMORY
                                             : v1::SESSION_PLACE_DISK);
      summary.set_why(entry->lost);
      const int num_calls = entry->num_calls + static_cast<int>(entry->waiters.size());
      summary.set_num_calls(num_calls);
      if (num_calls == 0) summary.set_idle_s(absl::ToDoubleSeconds(now - entry->last_used));
      summary.set_generation(in_memory ? entry->session->generation() : entry->generation);
    }
  }
  std::sort(out.begin(), out.end(), [](const v1::SessionSummary& a, const v1::SessionSummary& b) {
    return std::make_pair(a.idle_s(), a.session()) < std::make_pair(b.idle_s(), b.session());
  });
  return out;
}

int64_t SessionRegistry::num_departed() const {
  MutexLock lock(mu_);
  return num_departed_;
}

void SessionRegistry::FillIn(Levels& levels) const {
  MutexLock lock(mu_);
  levels.recovery_s = absl::ToDoubleSeconds(recovery_);
  for (const auto& [name, entry] : sessions_) {
    if (entry->session != nullptr) {
      ++levels.sessions;
    } else if (entry->lost.empty()) {
      ++levels.sessions_on_disk;
    } else {
      ++levels.sessions_lost;
    }
  }
}

absl::StatusOr<SessionRegistry::Owned> SessionRegistry::FindByBeginning(
    absl::string_view beginning) const {
  MutexLock lock(mu_);
  std::vector<Owned> found;
  for (const auto& [name, entry] : sessions_) {
    if (name == beginning) return Owned{entry->tenant, name};
    if (beginning.size() >= kMinBeginning && absl::StartsWith(name, beginning)) {
      found.push_back({entry->tenant, name});
    }
  }
  if (found.empty()) return UnknownSession(beginning);
  if (found.size() > 1) {
    return InvalidField("session", absl::StrCat("the beginning of ", found.size(), " names"),
                        "a name, or the beginning of one alone");
  }
  return found.front();
}

}  // namespace livnd::server
