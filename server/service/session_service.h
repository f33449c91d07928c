// The gRPC service livnd.v1.SessionService.
#ifndef LIVND_SERVER_SERVICE_SESSION_SERVICE_H_
#define LIVND_SERVER_SERVICE_SESSION_SERVICE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "env/spec.h"
#include "env/task/vector_environment.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "livnd/v1/session_service.grpc.pb.h"
#include "livnd/v1/session_service.pb.h"
#include "server/service/answer.h"
#include "server/service/reception.h"
#include "server/session/environment_store.h"
#include "server/session/session_registry.h"

namespace livnd::server {

namespace internal {
using RawSessionService = v1::SessionService::WithRawCallbackMethod_CreateSession<
    v1::SessionService::WithRawCallbackMethod_GetSession<
        v1::SessionService::WithRawCallbackMethod_AttachSession<
            v1::SessionService::WithRawCallbackMethod_RenewLease<
                v1::SessionService::WithRawCallbackMethod_Snapshot<
                    v1::SessionService::WithRawCallbackMethod_Restore<
                        v1::SessionService::WithRawCallbackMethod_Fork<
                            v1::SessionService::WithRawCallbackMethod_DeleteSession<
                                v1::SessionService::Service>>>>>>>>;
}  // namespace internal

// Thread-safe. The store, the registry and the reception must outlive the service.
class SessionService final : public internal::RawSessionService {
 public:
  // The caps of messages bound the copies of a session.
  SessionService(int64_t max_receive_message_bytes, int64_t max_send_message_bytes,
                 const EnvironmentStore& store, SessionRegistry& registry,
                 const Reception& reception)
      : max_receive_message_bytes_(max_receive_message_bytes),
        max_send_message_bytes_(max_send_message_bytes),
        store_(store),
        registry_(registry),
        reception_(reception) {}

 private:
  using Context = grpc::CallbackServerContext;
  using Bytes = grpc::ByteBuffer;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* CreateSession(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* GetSession(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* AttachSession(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* RenewLease(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* Snapshot(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* Restore(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* Fork(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* DeleteSession(Context* context, const Bytes* in, Bytes* out) override;

  // Checks a request's fields; returns its reset mode.
  absl::StatusOr<env::AutoresetMode> CheckCreate(const v1::CreateSessionRequest& request) const;

  // On the session's strand.
  void BeginFork(const std::string& tenant, const v1::ForkRequest& request, Session& session,
                 AnswerCallback answer);
  absl::Status CheckFork(const v1::ForkRequest& request, const Session& session) const;
  // INVALID_FIELD or TOO_MANY_ENVS about a field that asks for so many copies of an environment.
  absl::Status CheckNumEnvs(absl::string_view field, int64_t num_envs,
                            const env::EnvironmentSpec& spec, env::AutoresetMode autoreset) const;

  const int64_t max_receive_message_bytes_;
  const int64_t max_send_message_bytes_;
  const EnvironmentStore& store_;
  SessionRegistry& registry_;
  const Reception& reception_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SERVICE_SESSION_SERVICE_H_
