#include "server/machine/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace livnd::server {
namespace {

absl::Status Invalid(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(
      "address '", text, "': ", why, "; accepted: unix:PATH, HOST:PORT or [IPV6]:PORT"));
}

}  // namespace

bool ListenAddress::is_local() const {
  if (is_unix() || host == "localhost") return true;
  in_addr v4;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6;
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::string ListenAddress::ToString() const {
  if (is_unix()) return absl::StrCat("unix:", unix_path);
  return absl::StrContains(host, ':') ? absl::StrCat("[", host, "]:", port)
                                      : absl::StrCat(host, ":", port);
}

absl::StatusOr<ListenAddress> ListenAddress::Parse(absl::string_view text) {
  ListenAddress address;
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "unix:")) {
    if (absl::StartsWith(rest, "//")) {
      absl::ConsumePrefix(&rest, "//");
      if (!absl::StartsWith(rest, "/")) return Invalid(text, "unix:// takes an absolute path");
    }
    if (rest.empty()) return Invalid(text, "the path is empty");
    if (absl::StrContains(rest, '\0')) return Invalid(text, "the path has a zero byte");
    std::error_code error;
    address.unix_path = std::filesystem::absolute(std::string(rest), error).string();
    if (error) return Invalid(text, absl::StrCat("no working directory: ", error.message()));
    constexpr size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;
    if (address.unix_path.size() > kMaxPath) {
      return Invalid(text,
                     absl::StrCat("the path ", address.unix_path, " has ", address.unix_path.size(),
                                  " bytes and a socket's at most ", kMaxPath));
    }
    if (absl::StrContains(address.unix_path, ',')) {
      return Invalid(text, absl::StrCat("the path ", address.unix_path,
                                        " has a comma, where clients' gRPC would split it"));
    }
    return address;
  }
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return Invalid(text, "there is no port");
  absl::string_view host = text.substr(0, colon);
  if (absl::ConsumePrefix(&host, "[")) {
    in6_addr v6;
    if (!absl::ConsumeSuffix(&host, "]") ||
        inet_pton(AF_INET6, std::string(host).c_str(), &v6) != 1) {
      return Invalid(text, "the brackets do not hold an IPv6 address");
    }
  } else if (host.empty() || absl::StrContains(host, ':') || absl::StrContains(host, '/')) {
    return Invalid(text, "this is no host");
  }
  const absl::string_view port = text.substr(colon + 1);
  if (port.empty() || port.find_first_not_of("0123456789") != absl::string_view::npos ||
      !absl::SimpleAtoi(port, &address.port) || address.port > 65535) {
    return Invalid(text, "the port is not 0 .. 65535");
  }
  address.host = std::string(host);
  return address;
}

absl::StatusOr<ListenAddress> ListenAddress::OfSocket(int fd) {
  sockaddr_storage name = {};
  socklen_t size = sizeof(name);
  ListenAddress address;
  char host[INET6_ADDRSTRLEN] = "";
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) == 0) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(name);
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(name);
    const auto& local = reinterpret_cast<const sockaddr_un&>(name);
    if (name.ss_family == AF_UNIX && size > offsetof(sockaddr_un, sun_path)) {
      address.unix_path = local.sun_path;  // empty for an abstract name
    } else if (name.ss_family == AF_INET &&
               inet_ntop(AF_INET, &v4.sin_addr, host, sizeof(host)) != nullptr) {
      address.port = ntohs(v4.sin_port);
    } else if (name.ss_family == AF_INET6 &&
               inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof(host)) != nullptr) {
      address.port = ntohs(v6.sin6_port);
    }
    address.host = host;
  }
  if (address.is_unix() || !address.host.empty()) return address;
  return absl::FailedPreconditionError(
      absl::StrCat("the socket of descriptor ", fd, " is at no path and no port"));
}

}  // namespace livnd::server
