// What one tenant uses of the server.
#ifndef LIVND_SERVER_SESSION_TENANT_H_
#define LIVND_SERVER_SESSION_TENANT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "server/machine/mutex.h"
#include "server/trust/quotas.h"

namespace livnd::server {

// Its sessions count here what they take, and ask before they take more. Thread-safe.
class Tenant {
 public:
  using QuotaOf = std::function<Quota(const std::string& tenant)>;

  // `quota_of` says what holds now; null: as much as there is.
  Tenant(std::string name, QuotaOf quota_of)
      : name_(std::move(name)), quota_of_(std::move(quota_of)) {}

  const std::string& name() const { return name_; }
  Quota quota() const { return quota_of_ ? quota_of_(name_) : Quota(); }

  // Before so much culture time is simulated, of all copies together. QUOTA_EXCEEDED, and then nothing is
  // counted.
  absl::Status Spend(double simulated_s) ABSL_LOCKS_EXCLUDED(mu_);
  // What was not simulated after all.
  void GiveBack(double simulated_s) ABSL_LOCKS_EXCLUDED(mu_);
  double simulated_s() const ABSL_LOCKS_EXCLUDED(mu_);

  // Before so much memory is taken for long. QUOTA_EXCEEDED, and then nothing is counted.
  absl::Status Take(int64_t bytes) ABSL_LOCKS_EXCLUDED(mu_);
  // What is taken more, or less, than was counted.
  void AddBytes(int64_t bytes) ABSL_LOCKS_EXCLUDED(mu_);
  int64_t num_bytes() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  const std::string name_;
  const QuotaOf quota_of_;
  mutable Mutex mu_;
  double simulated_s_ ABSL_GUARDED_BY(mu_) = 0.0;
  int64_t num_bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SESSION_TENANT_H_
