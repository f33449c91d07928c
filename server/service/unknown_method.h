// Calls of methods that the server does not have.
#ifndef LIVND_SERVER_SERVICE_UNKNOWN_METHOD_H_
#define LIVND_SERVER_SERVICE_UNKNOWN_METHOD_H_

#include "grpcpp/generic/async_generic_service.h"
#include "server/metrics/metrics.h"

namespace livnd::server {

// Answers UNIMPLEMENTED / UNKNOWN_METHOD: gRPC's own answer has no ErrorInfo. Thread-safe.
class UnknownMethod final : public grpc::CallbackGenericService {
 public:
  // The metrics count the calls, and must outlive the service.
  explicit UnknownMethod(Metrics& metrics) : metrics_(metrics) {}

 private:
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override;

  Metrics& metrics_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SERVICE_UNKNOWN_METHOD_H_
