// The gRPC service livnd.v1.CultureService.
#ifndef LIVND_SERVER_SERVICE_CULTURE_SERVICE_H_
#define LIVND_SERVER_SERVICE_CULTURE_SERVICE_H_

#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "livnd/v1/culture_service.grpc.pb.h"
#include "livnd/v1/culture_service.pb.h"
#include "server/session/session_registry.h"

namespace livnd::server {

namespace internal {
using RawCultureService = v1::CultureService::WithRawCallbackMethod_GetCulture<
    v1::CultureService::WithRawCallbackMethod_Configure<
        v1::CultureService::WithRawCallbackMethod_Run<
            v1::CultureService::WithRawCallbackMethod_Clear<v1::CultureService::Service>>>>;
}  // namespace internal

// Thread-safe. The registry must outlive the service.
class CultureService final : public internal::RawCultureService {
 public:
  explicit CultureService(SessionRegistry& registry) : registry_(registry) {}

 private:
  using Context = grpc::CallbackServerContext;
  using Bytes = grpc::ByteBuffer;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* GetCulture(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* Configure(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* Run(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* Clear(Context* context, const Bytes* in, Bytes* out) override;

  SessionRegistry& registry_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SERVICE_CULTURE_SERVICE_H_
