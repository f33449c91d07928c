#include "server/service/environment_service.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "server/wire/convert.h"
#include "server/wire/errors.h"
#include "server/wire/message_bytes.h"

namespace livnd::server {
namespace {

constexpr size_t kMaxRequestIdBytes = 128;

// Answers at once: Request -> StatusOr<Response>.
template <typename Request, typename Handler>
grpc::ServerUnaryReactor* AnswerNow(grpc::CallbackServerContext* context,
                                    const grpc::ByteBuffer* in, grpc::ByteBuffer* out,
                                    Handler handler) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  Request request;
  absl::Status status = ParseMessage(*in, &request);
  if (status.ok()) {
    auto response = handler(request);
    status = response.status();
    if (status.ok()) *out = SerializeMessage(*response);
  }
  reactor->Finish(ToGrpc(status));
  return reactor;
}

// Answers from the session's strand: (Session&, Request) -> StatusOr<ByteBuffer>.
template <typename Request, typename Handler>
grpc::ServerUnaryReactor* AnswerOnStrand(SessionRegistry& registry,
                                         grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* in, grpc::ByteBuffer* out,
                                         Handler handler) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  auto request = std::make_unique<Request>();
  if (const absl::Status status = ParseMessage(*in, request.get()); !status.ok()) {
    reactor->Finish(ToGrpc(status));
    return reactor;
  }
  absl::StatusOr<SessionUse> use = registry.Acquire(request->session());
  if (!use.ok()) {
    reactor->Finish(ToGrpc(use.status()));
    return reactor;
  }
  Session& session = **use;
  session.Post(
      [handler, reactor, out, request = std::move(request), use = *std::move(use)]() mutable {
        absl::StatusOr<grpc::ByteBuffer> answer = handler(*use, *request);
        if (answer.ok()) *out = *std::move(answer);
        reactor->Finish(ToGrpc(answer.status()));
      });
  return reactor;
}

v1::CreateSessionResponse DescribeSession(const Session& session) {
  v1::CreateSessionResponse response;
  response.set_session(session.name());
  *response.mutable_environment() = EncodeEnvironmentSpec(session.spec());
  response.set_num_envs(session.num_envs());
  response.set_autoreset_mode(EncodeAutoresetMode(session.autoreset()));
  response.set_next_op_index(OperationLog().next());
  return response;
}

}  // namespace

EnvironmentService::EnvironmentService(v1::GetServerInfoResponse info,
                                       std::vector<v1::System> systems, EnvironmentStore& store,
                                       SessionRegistry& registry)
    : info_(std::move(info)), store_(store), registry_(registry) {
  for (v1::System& system : systems) {
    const std::string name = system.name();
    systems_[name] = std::move(system);
  }
}

grpc::ServerUnaryReactor* EnvironmentService::GetServerInfo(Context* context, const Bytes* in,
                                                            Bytes* out) {
  return AnswerNow<v1::GetServerInfoRequest>(
      context, in, out,
      [this](const auto&) -> absl::StatusOr<v1::GetServerInfoResponse> { return info_; });
}

grpc::ServerUnaryReactor* EnvironmentService::ListSystems(Context* context, const Bytes* in,
                                                          Bytes* out) {
  return AnswerNow<v1::ListSystemsRequest>(
      context, in, out, [this](const auto&) -> absl::StatusOr<v1::ListSystemsResponse> {
        v1::ListSystemsResponse response;
        for (const auto& [name, system] : systems_) response.add_systems(name);
        return response;
      });
}

grpc::ServerUnaryReactor* EnvironmentService::GetSystem(Context* context, const Bytes* in,
                                                        Bytes* out) {
  return AnswerNow<v1::GetSystemRequest>(
      context, in, out,
      [this](const v1::GetSystemRequest& request) -> absl::StatusOr<v1::GetSystemResponse> {
        const auto found = systems_.find(request.system());
        if (found == systems_.end()) {
          return NotFound(reason::kUnknownSystem, "system", request.system(),
                          absl::StrJoin(systems_, ", ", [](std::string* names, const auto& entry) {
                            names->append(entry.first);
                          }));
        }
        v1::GetSystemResponse response;
        *response.mutable_system() = found->second;
        return response;
      });
}

grpc::ServerUnaryReactor* EnvironmentService::ListEnvironments(Context* context, const Bytes* in,
                                                               Bytes* out) {
  return AnswerNow<v1::ListEnvironmentsRequest>(
      context, in, out, [this](const auto&) -> absl::StatusOr<v1::ListEnvironmentsResponse> {
        v1::ListEnvironmentsResponse response;
        for (const env::EnvironmentSpec& spec : store_.specs()) {
          *response.add_environments() = EncodeEnvironmentSpec(spec);
        }
        return response;
      });
}

grpc::ServerUnaryReactor* EnvironmentService::DescribeEnvironment(Context* context, const Bytes* in,
                                                                  Bytes* out) {
  return AnswerNow<v1::DescribeEnvironmentRequest>(
      context, in, out,
      [this](const v1::DescribeEnvironmentRequest& request)
          -> absl::StatusOr<v1::DescribeEnvironmentResponse> {
        LIVND_ASSIGN_OR_RETURN(const env::EnvironmentSpec* spec,
                               store_.Find(request.environment_id()));
        v1::DescribeEnvironmentResponse response;
        *response.mutable_environment() = EncodeEnvironmentSpec(*spec);
        return response;
      });
}

absl::StatusOr<env::AutoresetMode> EnvironmentService::CheckCreate(
    const v1::CreateSessionRequest& request) const {
  if (request.request_id().empty() || request.request_id().size() > kMaxRequestIdBytes) {
    return InvalidField("request_id", absl::StrCat(request.request_id().size(), " bytes"),
                        absl::StrCat("1 .. ", kMaxRequestIdBytes, " bytes"));
  }
  LIVND_ASSIGN_OR_RETURN(const env::EnvironmentSpec* spec, store_.Find(request.environment_id()));
  const int64_t max_envs =
      std::min<int64_t>(registry_.options().max_envs_per_session,
                        MaxCopiesPerMessage(*spec, info_.max_receive_message_bytes(),
                                            info_.max_send_message_bytes()));
  const std::string value = absl::StrCat(request.num_envs());
  const std::string accepted = absl::StrCat("1 .. ", max_envs);
  if (request.num_envs() < 1) return InvalidField("num_envs", value, accepted);
  if (request.num_envs() > max_envs) {
    return MakeError(
        absl::StatusCode::kResourceExhausted, reason::kTooManyEnvs,
        absl::StrCat("num_envs is ", value, "; one session of ", spec->id, " takes ", accepted),
        {{"field", "num_envs"}, {"value", value}, {"accepted", accepted}});
  }
  return ParseAutoresetMode(request.autoreset_mode());
}

grpc::ServerUnaryReactor* EnvironmentService::CreateSession(Context* context, const Bytes* in,
                                                            Bytes* out) {
  Reactor* reactor = context->DefaultReactor();
  v1::CreateSessionRequest request;
  absl::Status status = ParseMessage(*in, &request);
  absl::StatusOr<env::AutoresetMode> autoreset = env::AutoresetMode::kNextStep;
  if (status.ok()) {
    autoreset = CheckCreate(request);
    status = autoreset.status();
  }
  if (!status.ok()) {
    reactor->Finish(ToGrpc(status));
    return reactor;
  }
  registry_.Create(request, *autoreset,
                   [reactor, out](absl::StatusOr<std::shared_ptr<Session>> session) {
                     if (session.ok()) *out = SerializeMessage(DescribeSession(**session));
                     reactor->Finish(ToGrpc(session.status()));
                   });
  return reactor;
}

grpc::ServerUnaryReactor* EnvironmentService::DeleteSession(Context* context, const Bytes* in,
                                                            Bytes* out) {
  Reactor* reactor = context->DefaultReactor();
  v1::DeleteSessionRequest request;
  absl::Status status = ParseMessage(*in, &request);
  *out = SerializeMessage(v1::DeleteSessionResponse());
  if (status.ok()) {
    absl::StatusOr<std::shared_ptr<Session>> session = registry_.Remove(request.session());
    if (session.ok()) {
      // After the operations that have begun; the session itself goes with this task.
      Session& removed = **session;
      removed.Post([session = *std::move(session), reactor]() mutable {
        session.reset();
        reactor->Finish(grpc::Status::OK);
      });
      return reactor;
    }
    if (!request.allow_missing()) status = session.status();
  }
  reactor->Finish(ToGrpc(status));
  return reactor;
}

grpc::ServerUnaryReactor* EnvironmentService::Reset(Context* context, const Bytes* in, Bytes* out) {
  return AnswerOnStrand<v1::ResetRequest>(
      registry_, context, in, out,
      [](Session& session, const v1::ResetRequest& request) { return session.Reset(request); });
}

grpc::ServerUnaryReactor* EnvironmentService::Step(Context* context, const Bytes* in, Bytes* out) {
  return AnswerOnStrand<v1::StepRequest>(
      registry_, context, in, out,
      [](Session& session, const v1::StepRequest& request) { return session.Step(request); });
}

grpc::ServerUnaryReactor* EnvironmentService::Observe(Context* context, const Bytes* in,
                                                      Bytes* out) {
  return AnswerOnStrand<v1::ObserveRequest>(
      registry_, context, in, out,
      [](Session& session, const v1::ObserveRequest&) { return session.Observe(); });
}

grpc::ServerUnaryReactor* EnvironmentService::Configure(Context* context, const Bytes* in,
                                                        Bytes* out) {
  return AnswerOnStrand<v1::ConfigureRequest>(
      registry_, context, in, out, [](Session& session, const v1::ConfigureRequest& request) {
        return session.Configure(request);
      });
}

grpc::ServerUnaryReactor* EnvironmentService::GetCulture(Context* context, const Bytes* in,
                                                         Bytes* out) {
  return AnswerOnStrand<v1::GetCultureRequest>(
      registry_, context, in, out, [](Session& session, const v1::GetCultureRequest& request) {
        return session.GetCulture(request);
      });
}

}  // namespace livnd::server
