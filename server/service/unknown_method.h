// Calls of methods that the server does not have.
#ifndef LIVND_SERVER_SERVICE_UNKNOWN_METHOD_H_
#define LIVND_SERVER_SERVICE_UNKNOWN_METHOD_H_

#include "absl/status/status.h"
#include "grpcpp/generic/async_generic_service.h"
#include "server/service/reception.h"

namespace livnd::server {

// Answers UNIMPLEMENTED / UNKNOWN_METHOD: gRPC's own answer has no ErrorInfo. To those alone who may
// call methods that there are. Thread-safe.
class UnknownMethod final : public grpc::CallbackGenericService {
 public:
  // The reception must outlive the service.
  explicit UnknownMethod(const Reception& reception) : reception_(reception) {}

 private:
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override;
  grpc::ServerGenericBidiReactor* Refuse(const absl::Status& refusal);

  const Reception& reception_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SERVICE_UNKNOWN_METHOD_H_
