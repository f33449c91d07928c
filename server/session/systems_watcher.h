// Keeps what a server offers up with its folder of systems.
#ifndef LIVND_SERVER_SESSION_SYSTEMS_WATCHER_H_
#define LIVND_SERVER_SESSION_SYSTEMS_WATCHER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "env/catalog.h"
#include "server/machine/mutex.h"
#include "server/machine/systems_folder.h"
#include "server/session/offer.h"

namespace livnd::server {

// Reads the systems, and then looks again and again whether there are other ones. What a system lacks to
// offer an environment is told in the log, once. A system is read in a process of its own
// (io/neuroh5/isolate.h), so that a broken one harms nobody.
//
// Owns a thread once started. Its owner uses it from one thread.
class SystemsWatcher {
 public:
  SystemsWatcher(std::string folder, int64_t max_message_bytes, env::BenchEnvironments bench)
      : max_message_bytes_(max_message_bytes), bench_(bench), folder_(std::move(folder)) {}
  // Waits for a system that is being read.
  ~SystemsWatcher();
  SystemsWatcher(const SystemsWatcher&) = delete;
  SystemsWatcher& operator=(const SystemsWatcher&) = delete;

  // Reads everything, before Start. Errors: as SystemsFolder::ReadAll and MakeOffer.
  absl::StatusOr<Offer> First();

  // From now on looks once in a period, and calls `changed` on its thread with what there is to offer
  // whenever that is something else.
  void Start(absl::Duration period, std::function<void(Offer)> changed);

  // A system is being read: its end would be waited for.
  bool reading() const { return reading_; }

 private:
  absl::StatusOr<Offer> Make();
  void Run(absl::Duration period);

  const int64_t max_message_bytes_;
  const env::BenchEnvironments bench_;
  SystemsFolder folder_;        // the thread's, once there is one
  std::set<std::string> told_;  // so too; what was logged of systems that offer nothing
  std::function<void(Offer)> changed_;
  std::atomic<bool> reading_{false};
  Mutex mu_;
  CondVar stop_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SESSION_SYSTEMS_WATCHER_H_
