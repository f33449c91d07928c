// Renews the leases of sessions while whoever holds them has something else to do. Not for users of
// the library.
#ifndef LIVND_CLIENTS_CPP_RENEWALS_H_
#define LIVND_CLIENTS_CPP_RENEWALS_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "grpcpp/client_context.h"

namespace livnd::client::internal {

// A thread, from the first session on until it is destroyed. Thread-safe.
class Renewals {
 public:
  // Renews one session, once, with this context; false if there is no session of the name any more.
  using Renew = std::function<bool(const std::string& session, grpc::ClientContext* context)>;

  explicit Renewals(Renew renew) : renew_(std::move(renew)) {}
  ~Renewals();
  Renewals(const Renewals&) = delete;
  Renewals& operator=(const Renewals&) = delete;

  // For this holder from now on three times in a lease; never where that is 0.
  void Add(const std::string& session, int64_t generation, std::chrono::duration<double> lease);
  // No renewal for it begins after this.
  void Remove(const std::string& session, int64_t generation);

 private:
  void Work();

  const Renew renew_;
  std::mutex mu_;
  // Guarded by mu_.
  std::condition_variable ends_;
  std::chrono::steady_clock::duration period_{};
  std::set<std::pair<std::string, int64_t>> sessions_;  // with their generations
  std::unique_ptr<grpc::ClientContext> under_way_;
  bool ending_ = false;

  std::thread thread_;
};

}  // namespace livnd::client::internal

#endif  // LIVND_CLIENTS_CPP_RENEWALS_H_
