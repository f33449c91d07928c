#include "clients/cpp/renewals.h"

#include <vector>

namespace livnd::client::internal {

Renewals::~Renewals() {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    ending_ = true;
    if (under_way_ != nullptr) under_way_->TryCancel();
  }
  ends_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Renewals::Add(const std::string& session, int64_t generation,
                   std::chrono::duration<double> lease) {
  if (lease.count() <= 0) return;
  const std::lock_guard<std::mutex> lock(mu_);
  sessions_.emplace(session, generation);
  period_ = std::chrono::duration_cast<std::chrono::steady_clock::duration>(lease / 3);
  if (!thread_.joinable()) thread_ = std::thread([this] { Work(); });
}

void Renewals::Remove(const std::string& session, int64_t generation) {
  const std::lock_guard<std::mutex> lock(mu_);
  sessions_.erase({session, generation});
}

void Renewals::Work() {
  std::unique_lock<std::mutex> lock(mu_);
  while (!ends_.wait_for(lock, period_, [this] { return ending_; })) {
    const std::vector<std::pair<std::string, int64_t>> now(sessions_.begin(), sessions_.end());
    for (const auto& session : now) {
      if (ending_) return;
      if (sessions_.count(session) == 0) continue;
      under_way_ = std::make_unique<grpc::ClientContext>();
      grpc::ClientContext* const context = under_way_.get();
      lock.unlock();
      const bool exists = renew_(session.first, context);
      lock.lock();
      under_way_.reset();
      if (!exists) sessions_.erase(session);
    }
  }
}

}  // namespace livnd::client::internal
