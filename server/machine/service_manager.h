// systemd, or whoever else starts the server and speaks as it does.
#ifndef LIVND_SERVER_MACHINE_SERVICE_MANAGER_H_
#define LIVND_SERVER_MACHINE_SERVICE_MANAGER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace livnd::server {

// The two ways in which a service manager meets a daemon, as sd_notify(3) and sd_listen_fds(3) describe
// them: a socket that the daemon tells its state (NOTIFY_SOCKET), and sockets that listen already
// (LISTEN_FDS), so that clients wait while the daemon starts or is exchanged. Each is a few lines, which
// is why no library does it. Without a service manager there are no sockets, and nobody is told.
//
// A value; thread-safe.
class ServiceManager {
 public:
  // Takes what it reads out of the environment, so that children do not take it for theirs: before the
  // process has threads. FailedPrecondition if what was passed is no stream socket that listens.
  static absl::StatusOr<ServiceManager> FromEnvironment();

  // Descriptors of the sockets that were passed: non-blocking, closed on exec. The caller's.
  const std::vector<int>& sockets() const { return sockets_; }

  // How often it wants to hear WATCHDOG=1; infinite if it does not.
  absl::Duration watchdog_period() const { return watchdog_period_; }

  // Lines like "READY=1". What cannot be told is left.
  void Notify(absl::string_view state) const;

 private:
  ServiceManager() = default;
  std::string notify_socket_;  // a path, or '@' and an abstract name; empty: nobody listens
  std::vector<int> sockets_;
  absl::Duration watchdog_period_ = absl::InfiniteDuration();
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_MACHINE_SERVICE_MANAGER_H_
