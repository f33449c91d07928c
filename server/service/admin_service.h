// The gRPC service livnd.v1.AdminService.
#ifndef LIVND_SERVER_SERVICE_ADMIN_SERVICE_H_
#define LIVND_SERVER_SERVICE_ADMIN_SERVICE_H_

#include <functional>

#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "livnd/v1/admin_service.grpc.pb.h"
#include "livnd/v1/admin_service.pb.h"
#include "server/service/reception.h"
#include "server/session/session_registry.h"

namespace livnd::server {

namespace internal {
using RawAdminService = v1::AdminService::WithRawCallbackMethod_ListSessions<
    v1::AdminService::WithRawCallbackMethod_EndSession<
        v1::AdminService::WithRawCallbackMethod_Drain<v1::AdminService::Service>>>;
}  // namespace internal

// Thread-safe. The registry and the reception must outlive the service.
class AdminService final : public internal::RawAdminService {
 public:
  // `end`, thread-safe, has the server end in the usual way, soon.
  AdminService(SessionRegistry& registry, const Reception& reception, std::function<void()> end)
      : registry_(registry), reception_(reception), end_(std::move(end)) {}

 private:
  using Context = grpc::CallbackServerContext;
  using Bytes = grpc::ByteBuffer;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* ListSessions(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* EndSession(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* Drain(Context* context, const Bytes* in, Bytes* out) override;

  SessionRegistry& registry_;
  const Reception& reception_;
  const std::function<void()> end_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SERVICE_ADMIN_SERVICE_H_
