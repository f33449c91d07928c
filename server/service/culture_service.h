// The gRPC service livnd.v1.CultureService.
#ifndef LIVND_SERVER_SERVICE_CULTURE_SERVICE_H_
#define LIVND_SERVER_SERVICE_CULTURE_SERVICE_H_

#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "livnd/v1/culture_service.grpc.pb.h"
#include "livnd/v1/culture_service.pb.h"
#include "server/service/reception.h"
#include "server/session/session_registry.h"

namespace livnd::server {

namespace internal {
using RawCultureService = v1::CultureService::WithRawCallbackMethod_GetCulture<
    v1::CultureService::WithRawCallbackMethod_Configure<
        v1::CultureService::WithRawCallbackMethod_Run<
            v1::CultureService::WithRawCallbackMethod_Clear<v1::CultureService::Service>>>>;
}  // namespace internal

// Thread-safe. The registry and the reception must outlive the service.
class CultureService final : public internal::RawCultureService {
 public:
  CultureService(SessionRegistry& registry, const Reception& reception)
      : registry_(registry), reception_(reception) {}

 private:
  using Context = grpc::CallbackServerContext;
  using Bytes = grpc::ByteBuffer;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* GetCulture(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* Configure(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* Run(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* Clear(Context* context, const Bytes* in, Bytes* out) override;

  SessionRegistry& registry_;
  const Reception& reception_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SERVICE_CULTURE_SERVICE_H_
