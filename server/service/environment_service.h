// The gRPC service livnd.v1.EnvironmentService.
#ifndef LIVND_SERVER_SERVICE_ENVIRONMENT_SERVICE_H_
#define LIVND_SERVER_SERVICE_ENVIRONMENT_SERVICE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "livnd/v1/environment_service.grpc.pb.h"
#include "livnd/v1/environment_service.pb.h"
#include "server/session/environment_store.h"
#include "server/session/session_registry.h"

namespace livnd::server {

namespace internal {
using Rpc = v1::EnvironmentService;
// Every method by the callback API, on raw bytes: so the server itself says what is wrong with a
// message that cannot be parsed, and answers that are kept are sent again without a copy.
using RawEnvironmentService = Rpc::WithRawCallbackMethod_GetServerInfo<
    Rpc::WithRawCallbackMethod_ListSystems<Rpc::WithRawCallbackMethod_GetSystem<
        Rpc::WithRawCallbackMethod_ListEnvironments<Rpc::WithRawCallbackMethod_DescribeEnvironment<
            Rpc::WithRawCallbackMethod_CreateSession<Rpc::WithRawCallbackMethod_DeleteSession<
                Rpc::WithRawCallbackMethod_Reset<Rpc::WithRawCallbackMethod_Step<
                    Rpc::WithRawCallbackMethod_Observe<Rpc::WithRawCallbackMethod_Configure<
                        Rpc::WithRawCallbackMethod_GetCulture<Rpc::Service>>>>>>>>>>>>;
}  // namespace internal

// Handlers check the request, find what it speaks of and hand the work on; none of them blocks. A
// call that has been handed on completes whether or not its client still waits.
//
// Thread-safe. The store and the registry must outlive the service.
class EnvironmentService final : public internal::RawEnvironmentService {
 public:
  // `info` is what GetServerInfo answers; its limits on messages are also checked in CreateSession.
  EnvironmentService(v1::GetServerInfoResponse info, std::vector<v1::System> systems,
                     EnvironmentStore& store, SessionRegistry& registry);

 private:
  using Context = grpc::CallbackServerContext;
  using Bytes = grpc::ByteBuffer;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* GetServerInfo(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* ListSystems(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* GetSystem(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* ListEnvironments(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* DescribeEnvironment(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* CreateSession(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* DeleteSession(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* Reset(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* Step(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* Observe(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* Configure(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* GetCulture(Context* context, const Bytes* in, Bytes* out) override;

  // Checks a request's fields; returns its reset mode.
  absl::StatusOr<env::AutoresetMode> CheckCreate(const v1::CreateSessionRequest& request) const;

  const v1::GetServerInfoResponse info_;
  std::map<std::string, v1::System> systems_;  // by name; constant after construction
  EnvironmentStore& store_;
  SessionRegistry& registry_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SERVICE_ENVIRONMENT_SERVICE_H_
