#include "server/machine/listener.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "server/machine/descriptor_limit.h"
#include "server/machine/log.h"

namespace livnd::server {
namespace {

// How long to leave connections waiting when there is no descriptor to take them with.
constexpr int kPauseMs = 50;
// Ports that are tried where a host has several addresses and the kernel chooses the port.
constexpr int kMaxPortTries = 16;

absl::Status CannotListen(const std::string& address, int error) {
  const absl::Status status =
      absl::ErrnoToStatus(error, absl::StrCat("cannot listen on ", address));
  return absl::FailedPreconditionError(status.message());
}

// Connections get descriptors below this. The kernel gives the lowest free one, so a higher number
// says that fewer than the reserve are left.
int FirstReservedDescriptor() {
  const int limit = DescriptorLimit();
  return limit - std::clamp(limit / 8, 4, 64);
}

int OpenSocket(int family) { return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

// A socket that listens at one address of a host, or -1 with errno.
int OpenAt(const addrinfo& at, int port) {
  const int fd = OpenSocket(at.ai_family);
  if (fd < 0) return -1;
  const int on = 1;
  const int off = 0;
  sockaddr_storage address = {};
  std::memcpy(&address, at.ai_addr, at.ai_addrlen);
  if (at.ai_family == AF_INET6) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&address);
    v6->sin6_port = htons(static_cast<uint16_t>(port));
    // "::" means everything, IPv4 too.
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr) ? &off : &on,
               sizeof(int));
  } else {
    reinterpret_cast<sockaddr_in*>(&address)->sin_port = htons(static_cast<uint16_t>(port));
  }
  // Connections of a server that has just ended do not hold its port. Two servers at one port, of
  // which the kernel deals the clients out, would take SO_REUSEPORT.
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  // Connections inherit it: an answer is sent when it is written.
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), at.ai_addrlen) != 0 ||
      listen(fd, SOMAXCONN) != 0) {
    const int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

int PortOf(int fd) {
  sockaddr_storage address = {};
  socklen_t size = sizeof(address);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port
                   : reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Create(const ListenAddress& address) {
  auto listener = std::unique_ptr<Listener>(new Listener());
  LIVND_RETURN_IF_ERROR(listener->MakeWake());
  const absl::Status listening = address.is_unix() ? listener->ListenOnPath(address.unix_path)
                                                   : listener->ListenOnHost(address);
  if (!listening.ok()) return listening;
  return listener;
}

absl::StatusOr<std::unique_ptr<Listener>> Listener::Adopt(std::vector<int> sockets) {
  auto listener = std::unique_ptr<Listener>(new Listener());
  listener->sockets_ = std::move(sockets);
  for (const int fd : listener->sockets_) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
               sizeof(on));  // fails for a Unix socket: no matter
  }
  LIVND_RETURN_IF_ERROR(listener->MakeWake());
  return listener;
}

absl::Status Listener::MakeWake() {
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return wake_fd_ >= 0 ? absl::OkStatus() : absl::ErrnoToStatus(errno, "eventfd");
}

absl::Status Listener::ListenOnPath(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return CannotListen(path, ENAMETOOLONG);
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = OpenSocket(AF_UNIX);
  if (fd < 0) return CannotListen(path, errno);
  sockets_.push_back(fd);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return CannotListen(path, errno);
  }
  // Nobody can connect before listen().
  if (chmod(path.c_str(), 0600) != 0 || listen(fd, SOMAXCONN) != 0) {
    return CannotListen(path, errno);
  }
  return absl::OkStatus();
}

absl::Status Listener::ListenOnHost(const ListenAddress& address) {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(address.host.c_str(), nullptr, &hints, &found); error != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot listen on ", address.ToString(), ": ", gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);
  int error = 0;
  for (int attempt = 0; attempt < kMaxPortTries; ++attempt) {
    port_ = address.port;
    error = 0;
    int not_here = EADDRNOTAVAIL;
    for (const addrinfo* at = found; at != nullptr && error == 0; at = at->ai_next) {
      const int fd = OpenAt(*at, port_);
      if (fd >= 0) {
        sockets_.push_back(fd);
        port_ = PortOf(fd);
      } else if (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT) {
        not_here = errno;  // a name may lead to IPv6 where this machine has none
      } else {
        error = errno;
      }
    }
    if (error == 0 && sockets_.empty()) error = not_here;
    if (error == 0) return absl::OkStatus();
    for (const int fd : sockets_) close(fd);
    sockets_.clear();
    // The port that the kernel chose for the first address may be taken at the second.
    if (address.port != 0 || error != EADDRINUSE) break;
  }
  return CannotListen(address.ToString(), error);
}

Listener::~Listener() {
  if (thread_.joinable()) {
    const uint64_t one = 1;
    while (write(wake_fd_, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
    thread_.join();
  }
  for (const int fd : sockets_) close(fd);
  if (wake_fd_ >= 0) close(wake_fd_);
}

void Listener::Start(Accepted accepted) {
  accepted_ = std::move(accepted);
  thread_ = std::thread([this] { Run(); });
}

void Listener::Run() {
  std::vector<pollfd> fds = {{wake_fd_, POLLIN, 0}};
  for (const int socket : sockets_) fds.push_back({socket, POLLIN, 0});
  bool starved = false;
  while (true) {
    // Without a descriptor to take them with, waiting connections would wake it again and again.
    poll(fds.data(), starved ? 1 : fds.size(), starved ? kPauseMs : -1);
    if (fds[0].revents != 0) return;
    starved = false;
    for (const int socket : sockets_) starved = !AcceptAll(socket) || starved;
  }
}

bool Listener::AcceptAll(int socket) {
  while (true) {
    const int fd = accept4(socket, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= FirstReservedDescriptor()) {
      Refuse(fd);
    } else if (fd >= 0) {
      if (num_refused_ > 0 || short_of_descriptors_) {
        LogInfo("takes connections again; ", num_refused_, " were refused");
      }
      num_refused_ = 0;
      short_of_descriptors_ = false;
      accepted_(fd);
    } else {
      switch (errno) {
        case EAGAIN:
          return true;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
          if (!short_of_descriptors_) {
            LogWarning("cannot take a connection: ", std::strerror(errno), "; it waits");
          }
          short_of_descriptors_ = true;
          return false;
        case EBADF:
        case EINVAL:
        case ENOTSOCK:
        case EOPNOTSUPP:
          LogError("the listening socket is none: ", std::strerror(errno));
          std::abort();
        default:
          break;  // a connection that went before it was accepted, or an error of its network
      }
    }
  }
}

void Listener::Refuse(int fd) {
  close(fd);
  if (num_refused_++ == 0) {
    LogWarning("refuses connections: the ", DescriptorLimit(),
               " file descriptors of the process are taken, but for a reserve");
  }
}

}  // namespace livnd::server
