#include "server/session/tenant.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/wire/errors.h"

namespace livnd::server {

absl::Status Tenant::Spend(double simulated_s) {
  const double most = quota().max_simulated_s;
  MutexLock lock(mu_);
  if (most > 0.0 && simulated_s_ + simulated_s > most) {
    return QuotaExceeded(
        "max_simulated_s", absl::StrCat(simulated_s_ + simulated_s, " s"),
        absl::StrCat("at most ", most, " s, of which ", simulated_s_, " s are used"));
  }
  simulated_s_ += simulated_s;
  return absl::OkStatus();
}

void Tenant::GiveBack(double simulated_s) {
  MutexLock lock(mu_);
  simulated_s_ = std::max(0.0, simulated_s_ - simulated_s);
}

double Tenant::simulated_s() const {
  MutexLock lock(mu_);
  return simulated_s_;
}

absl::Status Tenant::Take(int64_t bytes) {
  const int64_t most = quota().max_bytes;
  MutexLock lock(mu_);
  if (most > 0 && bytes > most - num_bytes_) {
    return QuotaExceeded(
        "max_bytes", absl::StrCat(num_bytes_ + bytes, " bytes"),
        absl::StrCat("at most ", most, " bytes, of which ", num_bytes_, " are used"));
  }
  num_bytes_ += bytes;
  return absl::OkStatus();
}

void Tenant::AddBytes(int64_t bytes) {
  MutexLock lock(mu_);
  num_bytes_ += bytes;
}

int64_t Tenant::num_bytes() const {
  MutexLock lock(mu_);
  return num_bytes_;
}

}  // namespace livnd::server
