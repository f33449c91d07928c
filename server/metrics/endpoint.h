// Where Prometheus scrapes the metrics: an HTTP server of its own.
#ifndef LIVND_SERVER_METRICS_ENDPOINT_H_
#define LIVND_SERVER_METRICS_ENDPOINT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/machine/listen_address.h"

namespace prometheus {
class Collectable;
class Exposer;
}  // namespace prometheus

namespace livnd::server {

// Answers GET /metrics from Start to destruction, in threads of its own. Thread-safe.
class MetricsEndpoint {
 public:
  // InvalidArgument: not IPV4:PORT or localhost:PORT, which is what the HTTP server takes.
  // FailedPrecondition: it cannot listen there.
  static absl::StatusOr<std::unique_ptr<MetricsEndpoint>> Start(
      const ListenAddress& address, std::shared_ptr<prometheus::Collectable> metrics);

  // Waits for the answers under way.
  ~MetricsEndpoint();
  MetricsEndpoint(const MetricsEndpoint&) = delete;
  MetricsEndpoint& operator=(const MetricsEndpoint&) = delete;

  // "http://HOST:PORT/metrics", with the port that was chosen where 0 was asked for.
  const std::string& url() const { return url_; }

 private:
  MetricsEndpoint(std::unique_ptr<prometheus::Exposer> exposer,
                  std::shared_ptr<prometheus::Collectable> metrics, std::string url);

  const std::shared_ptr<prometheus::Collectable> metrics_;
  const std::unique_ptr<prometheus::Exposer> exposer_;
  const std::string url_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_METRICS_ENDPOINT_H_
