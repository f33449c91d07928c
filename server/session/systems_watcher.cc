#include "server/session/systems_watcher.h"

#include <utility>

#include "base/status_macros.h"
#include "server/machine/log.h"

namespace livnd::server {

SystemsWatcher::~SystemsWatcher() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    stop_.Signal();
  }
  if (thread_.joinable()) thread_.join();
}

absl::StatusOr<Offer> SystemsWatcher::Make() {
  LIVND_ASSIGN_OR_RETURN(Offer offer, MakeOffer(folder_.systems(), max_message_bytes_, bench_));
  std::set<std::string> told;
  for (const absl::Status& status : offer.left_out) {
    const std::string why(status.message());
    told.insert(why);
    if (told_.count(why) > 0) continue;
    LogLine(Severity::kError, "system offers no environment", {{"error", why}});
  }
  told_ = std::move(told);
  return offer;
}

absl::StatusOr<Offer> SystemsWatcher::First() {
  LIVND_RETURN_IF_ERROR(folder_.ReadAll());
  return Make();
}

void SystemsWatcher::Start(absl::Duration period, std::function<void(Offer)> changed) {
  changed_ = std::move(changed);
  if (period < absl::InfiniteDuration()) thread_ = std::thread([this, period] { Run(period); });
}

void SystemsWatcher::Run(absl::Duration period) {
  while (true) {
    {
      MutexLock lock(mu_);
      if (!stopping_) stop_.WaitFor(mu_, period);
      if (stopping_) return;
    }
    reading_ = true;
    if (folder_.Look()) {
      absl::StatusOr<Offer> offer = Make();
      if (offer.ok()) {
        changed_(*std::move(offer));
      } else {
        LogLine(Severity::kError, "systems stay as they were",
                {{"error", offer.status().message()}});
      }
    }
    reading_ = false;
  }
}

}  // namespace livnd::server
