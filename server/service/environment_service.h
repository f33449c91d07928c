// The gRPC service livnd.v1.EnvironmentService.
#ifndef LIVND_SERVER_SERVICE_ENVIRONMENT_SERVICE_H_
#define LIVND_SERVER_SERVICE_ENVIRONMENT_SERVICE_H_

#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "livnd/v1/environment_service.grpc.pb.h"
#include "livnd/v1/environment_service.pb.h"
#include "server/service/reception.h"
#include "server/service/step_stream.h"
#include "server/session/environment_store.h"
#include "server/session/session_registry.h"

namespace livnd::server {

namespace internal {
using RawEnvironmentService = v1::EnvironmentService::WithRawCallbackMethod_ListEnvironments<
    v1::EnvironmentService::WithRawCallbackMethod_DescribeEnvironment<
        v1::EnvironmentService::WithRawCallbackMethod_Reset<
            v1::EnvironmentService::WithRawCallbackMethod_Step<
                v1::EnvironmentService::WithRawCallbackMethod_StepStream<
                    v1::EnvironmentService::WithRawCallbackMethod_Observe<
                        v1::EnvironmentService::WithRawCallbackMethod_Render<
                            v1::EnvironmentService::Service>>>>>>>;
}  // namespace internal

// Thread-safe. The store, the registry and the reception must outlive the service.
class EnvironmentService final : public internal::RawEnvironmentService {
 public:
  EnvironmentService(const EnvironmentStore& store, SessionRegistry& registry,
                     const Reception& reception, int64_t max_send_message_bytes)
      : store_(store),
        registry_(registry),
        reception_(reception),
        max_send_message_bytes_(max_send_message_bytes),
        step_streams_(registry, reception) {}

  // Says goodbye on streams. After the registry's Drain.
  void Drain() { step_streams_.Close(); }

 private:
  using Context = grpc::CallbackServerContext;
  using Bytes = grpc::ByteBuffer;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* ListEnvironments(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* DescribeEnvironment(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* Reset(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* Step(Context* context, const Bytes* in, Bytes* out) override;
  grpc::ServerBidiReactor<Bytes, Bytes>* StepStream(Context* context) override {
    return step_streams_.Open(context);
  }
  Reactor* Observe(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* Render(Context* context, const Bytes* in, Bytes* out) override;

  const EnvironmentStore& store_;
  SessionRegistry& registry_;
  const Reception& reception_;
  const int64_t max_send_message_bytes_;
  StepStreams step_streams_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SERVICE_ENVIRONMENT_SERVICE_H_
