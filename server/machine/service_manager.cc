#include "server/machine/service_manager.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace livnd::server {
namespace {

constexpr int kFirstPassed = 3;

// The value of a variable, which is there no longer.
std::string Take(const char* name) {
  const char* value = std::getenv(name);
  const std::string taken = value == nullptr ? "" : value;
  unsetenv(name);
  return taken;
}

// Variables that came from an ancestor are meant for another process.
bool IsMine(const std::string& pid) { return pid == absl::StrCat(getpid()); }

int SocketOption(int fd, int option) {
  int value = -1;
  socklen_t size = sizeof(value);
  return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

absl::Status Adopt(int fd) {
  if (SocketOption(fd, SO_TYPE) != SOCK_STREAM || SocketOption(fd, SO_ACCEPTCONN) != 1) {
    return absl::FailedPreconditionError(
        absl::StrCat("LISTEN_FDS: descriptor ", fd, " is no stream socket that listens"));
  }
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ServiceManager> ServiceManager::FromEnvironment() {
  ServiceManager manager;
  manager.notify_socket_ = Take("NOTIFY_SOCKET");

  const std::string listen_pid = Take("LISTEN_PID");
  const std::string listen_fds = Take("LISTEN_FDS");
  Take("LISTEN_FDNAMES");
  int num_passed = 0;
  if (IsMine(listen_pid) && absl::SimpleAtoi(listen_fds, &num_passed)) {
    for (int fd = kFirstPassed; fd < kFirstPassed + num_passed; ++fd) {
      if (const absl::Status adopted = Adopt(fd); !adopted.ok()) return adopted;
      manager.sockets_.push_back(fd);
    }
  }

  const std::string watchdog_pid = Take("WATCHDOG_PID");
  int64_t watchdog_us = 0;
  if (absl::SimpleAtoi(Take("WATCHDOG_USEC"), &watchdog_us) && watchdog_us > 0 &&
      (watchdog_pid.empty() || IsMine(watchdog_pid))) {
    manager.watchdog_period_ = absl::Microseconds(watchdog_us) / 2;
  }
  return manager;
}

void ServiceManager::Notify(absl::string_view state) const {
  sockaddr_un address = {};
  if (notify_socket_.empty() || notify_socket_.size() >= sizeof(address.sun_path)) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, notify_socket_.data(), notify_socket_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + notify_socket_.size());
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return;
  sendto(fd, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
         size);
  close(fd);
}

}  // namespace livnd::server
