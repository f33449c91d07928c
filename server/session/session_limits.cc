// The part of the registry that knows what there is room for.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/session/holdings.h"
#include "server/session/session_entry.h"
#include "server/session/session_registry.h"
#include "server/wire/errors.h"

namespace livnd::server {
namespace {

// Calls that wait are done, most of them, within so long.
constexpr absl::Duration kCallRetry = absl::Milliseconds(50);

}  // namespace

absl::Status SessionRegistry::TooManySessions(const std::string& tenant) const {
  std::vector<Holding> holdings;
  int num_of_others = 0;
  const absl::Time now = Now();
  for (const auto& [name, entry] : sessions_) {
    if (entry->session == nullptr) continue;
    if (entry->tenant != tenant) {
      ++num_of_others;
      continue;
    }
    const bool in_use = entry->num_calls > 0;
    holdings.push_back({entry->session->spec().id, entry->session->num_envs(), in_use,
                        in_use ? absl::ZeroDuration() : now - entry->last_used});
  }
  const std::string holders = DescribeHoldings(
      holdings, options_.journals == nullptr ? options_.retention : options_.lease, num_of_others);
  return MakeError(
      absl::StatusCode::kResourceExhausted, reason::kTooManySessions,
      absl::StrCat("the server holds ", options_.max_sessions,
                   " sessions, as many as it takes; delete one first: ", holders),
      {{"accepted", absl::StrCat("at most ", options_.max_sessions)}, {"holders", holders}});
}

int SessionRegistry::NumCallsOf(const Entry& entry) const {
  const int calls = entry.num_calls + static_cast<int>(entry.waiters.size());
  return entry.session == nullptr ? calls : std::max(calls, entry.session->unanswered()->load());
}

absl::Status SessionRegistry::TooManyCalls(int calls) const {
  return WithRetryAfter(
      MakeError(absl::StatusCode::kResourceExhausted, reason::kTooManyCalls,
                absl::StrCat("the session has ", calls, " calls waiting"),
                {{"accepted", absl::StrCat("at most ", options_.max_calls_per_session)}}),
      kCallRetry);
}

absl::Status SessionRegistry::CheckBusy() const {
  const int calls = num_calls_ + num_waiting_;
  if (recovering_ || calls < options_.max_calls) return absl::OkStatus();
  return WithRetryAfter(
      MakeError(absl::StatusCode::kResourceExhausted, reason::kTooBusy,
                absl::StrCat("the server has ", calls, " calls waiting, of all its sessions"),
                {{"accepted", absl::StrCat("at most ", options_.max_calls)}}),
      kCallRetry);
}

std::shared_ptr<Tenant> SessionRegistry::TenantOf(const std::string& name) {
  std::shared_ptr<Tenant>& tenant = tenants_[name];
  if (tenant == nullptr) tenant = std::make_shared<Tenant>(name, options_.quota_of);
  return tenant;
}

std::function<absl::Status(int64_t bytes)> SessionRegistry::AdmitFor(
    std::shared_ptr<Tenant> tenant) {
  // Counted until the session that is made counts for itself, or is not made.
  struct Claim {
    explicit Claim(std::shared_ptr<Tenant> of) : tenant(std::move(of)) {}
    ~Claim() { tenant->AddBytes(-bytes); }
    const std::shared_ptr<Tenant> tenant;
    int64_t bytes = 0;
  };
  return [claim = std::make_shared<Claim>(std::move(tenant))](int64_t bytes) {
    absl::Status taken = claim->tenant->Take(bytes);
    if (taken.ok()) claim->bytes += bytes;
    return taken;
  };
}

absl::Status SessionRegistry::CheckQuota(const std::string& tenant, int num_envs) {
  const Quota quota = TenantOf(tenant)->quota();
  if (quota.max_sessions == 0 && quota.max_envs == 0) return absl::OkStatus();
  int64_t sessions = 1, envs = num_envs;
  for (const auto& [name, entry] : sessions_) {
    if (entry->tenant != tenant) continue;
    ++sessions;
    envs += entry->num_envs;
  }
  for (const auto& [key, request] : requests_) {
    if (request.tenant != tenant || request.ended || !request.session.empty()) continue;
    ++sessions;
    envs += request.num_envs;
  }
  if (quota.max_sessions > 0 && sessions > quota.max_sessions) {
    return QuotaExceeded("max_sessions", absl::StrCat(sessions),
                         absl::StrCat("at most ", quota.max_sessions,
                                      ", in memory and on the disk; delete one first"));
  }
  if (quota.max_envs > 0 && envs > quota.max_envs) {
    return QuotaExceeded("max_envs", absl::StrCat(envs),
                         absl::StrCat("at most ", quota.max_envs, ", in all sessions"));
  }
  return absl::OkStatus();
}

}  // namespace livnd::server
