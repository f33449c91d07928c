#include "server/metrics/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "prometheus/exposer.h"

namespace livnd::server {
namespace {

// Why nothing can listen there; the library does not say.
int ErrorOfListening(const in_addr& host, int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr = host;
  address.sin_port = htons(static_cast<uint16_t>(port));
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const bool bound = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
                     listen(fd, 1) == 0;
  const int error = bound ? EADDRINUSE : errno;  // it was so a moment ago
  close(fd);
  return error;
}

}  // namespace

absl::StatusOr<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Start(
    const ListenAddress& address, std::shared_ptr<prometheus::Collectable> metrics) {
  const std::string host = address.host == "localhost" ? "127.0.0.1" : address.host;
  in_addr v4;
  if (address.is_unix() || inet_pton(AF_INET, host.c_str(), &v4) != 1) {
    return absl::InvalidArgumentError(absl::StrCat("metrics cannot be served on ",
                                                   address.ToString(),
                                                   "; accepted: IPV4:PORT or localhost:PORT"));
  }
  std::unique_ptr<prometheus::Exposer> exposer;
  try {
    exposer = std::make_unique<prometheus::Exposer>(std::vector<std::string>{
        "listening_ports", absl::StrCat(host, ":", address.port), "num_threads", "2",
        // Who says nothing or reads nothing keeps a thread no longer.
        "request_timeout_ms", "5000"});
  } catch (const std::exception&) {
    const absl::Status why =
        absl::ErrnoToStatus(ErrorOfListening(v4, address.port),
                            absl::StrCat("cannot serve metrics on ", address.ToString()));
    return absl::FailedPreconditionError(why.message());
  }
  exposer->RegisterCollectable(metrics);
  const std::vector<int> ports = exposer->GetListeningPorts();
  const int port = ports.empty() ? address.port : ports.front();
  return std::unique_ptr<MetricsEndpoint>(
      new MetricsEndpoint(std::move(exposer), std::move(metrics),
                          absl::StrCat("http://", host, ":", port, "/metrics")));
}

MetricsEndpoint::MetricsEndpoint(std::unique_ptr<prometheus::Exposer> exposer,
                                 std::shared_ptr<prometheus::Collectable> metrics, std::string url)
    : metrics_(std::move(metrics)), exposer_(std::move(exposer)), url_(std::move(url)) {}

MetricsEndpoint::~MetricsEndpoint() = default;

}  // namespace livnd::server
