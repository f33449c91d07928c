// The gRPC service livnd.v1.ServerService.
#ifndef LIVND_SERVER_SERVICE_SERVER_SERVICE_H_
#define LIVND_SERVER_SERVICE_SERVER_SERVICE_H_

#include <map>
#include <string>
#include <vector>

#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "livnd/v1/server_service.grpc.pb.h"
#include "livnd/v1/server_service.pb.h"
#include "server/metrics/metrics.h"

namespace livnd::server {

namespace internal {
using RawServerService = v1::ServerService::WithRawCallbackMethod_GetServerInfo<
    v1::ServerService::WithRawCallbackMethod_ListSystems<
        v1::ServerService::WithRawCallbackMethod_GetSystem<v1::ServerService::Service>>>;
}  // namespace internal

// Thread-safe. The metrics must outlive the service.
class ServerService final : public internal::RawServerService {
 public:
  // `info` is what GetServerInfo answers.
  ServerService(v1::GetServerInfoResponse info, std::vector<v1::System> systems, Metrics& metrics);

 private:
  using Context = grpc::CallbackServerContext;
  using Bytes = grpc::ByteBuffer;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* GetServerInfo(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* ListSystems(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* GetSystem(Context* context, const Bytes* in, Bytes* out) override;

  const v1::GetServerInfoResponse info_;
  std::map<std::string, v1::System> systems_;  // by name; constant after construction
  Metrics& metrics_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SERVICE_SERVER_SERVICE_H_
