#include "server/service/session_service.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "env/spec.h"
#include "server/machine/log.h"
#include "server/machine/strand.h"
#include "server/service/answer.h"
#include "server/session/operation_log.h"
#include "server/session/session.h"
#include "server/wire/errors.h"
#include "server/wire/message_bytes.h"
#include "server/wire/spec.h"

namespace livnd::server {
namespace {

constexpr size_t kMaxRequestIdBytes = 128;

absl::Status CheckRequestId(const std::string& request_id) {
  if (!request_id.empty() && request_id.size() <= kMaxRequestIdBytes) return absl::OkStatus();
  return InvalidField("request_id", absl::StrCat(request_id.size(), " bytes"),
                      absl::StrCat("1 .. ", kMaxRequestIdBytes, " bytes"));
}

}  // namespace

absl::StatusOr<env::AutoresetMode> SessionService::CheckCreate(
    const v1::CreateSessionRequest& request) const {
  LIVND_RETURN_IF_ERROR(CheckRequestId(request.request_id()));
  LIVND_ASSIGN_OR_RETURN(const std::shared_ptr<const env::EnvironmentSpec> spec,
                         store_.Find(request.environment_id()));
  LIVND_ASSIGN_OR_RETURN(const env::AutoresetMode autoreset,
                         ParseAutoresetMode(request.autoreset_mode()));
  const bool is_culture = spec->kind == env::EnvironmentKind::kCulture;
  if (request.max_episode_steps() < 0 || (is_culture && request.max_episode_steps() > 0)) {
    return InvalidField("max_episode_steps", absl::StrCat(request.max_episode_steps()),
                        is_culture ? "0: a culture has no episodes" : "0 or more");
  }
  if (const double speed = request.pace().speed(); speed != 0.0 && !IsSpeed(speed)) {
    return InvalidField("pace.speed", absl::StrCat(speed),
                        absl::StrCat("0, or ", kMinSpeed, " .. ", kMaxSpeed));
  }
  if (request.snapshot().empty() && !request.copy_of().empty()) {
    return InvalidField("copy_of", "present", "absent without a snapshot");
  }
  LIVND_RETURN_IF_ERROR(CheckNumEnvs("num_envs", request.num_envs(), *spec, autoreset));
  return autoreset;
}

absl::Status SessionService::CheckNumEnvs(absl::string_view field, int64_t num_envs,
                                          const env::EnvironmentSpec& spec,
                                          env::AutoresetMode autoreset) const {
  const int64_t max_envs = std::min<int64_t>(
      registry_.options().max_envs_per_session,
      MaxCopiesPerMessage(spec, autoreset, max_receive_message_bytes_, max_send_message_bytes_));
  const std::string value = absl::StrCat(num_envs);
  const std::string accepted = absl::StrCat("1 .. ", max_envs);
  if (num_envs < 1) return InvalidField(field, value, accepted);
  if (num_envs <= max_envs) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kResourceExhausted, reason::kTooManyEnvs,
      absl::StrCat(field, " is ", value, "; one session of ", spec.id, " takes ", accepted),
      {{"field", std::string(field)}, {"value", value}, {"accepted", accepted}});
}

grpc::ServerUnaryReactor* SessionService::CreateSession(Context* context, const Bytes* in,
                                                        Bytes* out) {
  using Request = v1::CreateSessionRequest;
  return AnswerLater<Request>(
      {context, in, out, reception_},
      [this](const std::string& tenant, std::unique_ptr<Request> request, AnswerCallback answer) {
        const absl::StatusOr<env::AutoresetMode> autoreset = CheckCreate(*request);
        if (!autoreset.ok()) {
          std::move(answer)(autoreset.status());
          return;
        }
        registry_.Create(
            tenant, *request, *autoreset,
            [answer = std::move(answer)](absl::StatusOr<std::shared_ptr<Session>> session) mutable {
              if (session.ok()) {
                std::move(answer)(SerializeMessage((*session)->Describe()));
              } else {
                std::move(answer)(session.status());
              }
            });
      });
}

grpc::ServerUnaryReactor* SessionService::Snapshot(Context* context, const Bytes* in, Bytes* out) {
  return AnswerOnStrand<v1::SnapshotRequest>(
      registry_, {context, in, out, reception_},
      [this](Session& session,
             const v1::SnapshotRequest& request) -> absl::StatusOr<grpc::ByteBuffer> {
        v1::SnapshotResponse response;
        LIVND_ASSIGN_OR_RETURN(*response.mutable_snapshot(),
                               session.Snapshot(request.copies(), max_send_message_bytes_));
        response.set_next_op_index(session.next_op_index());
        return SerializeMessage(response);
      });
}

grpc::ServerUnaryReactor* SessionService::Restore(Context* context, const Bytes* in, Bytes* out) {
  return AnswerOnStrand<v1::RestoreRequest>(
      registry_, {context, in, out, reception_},
      [](Session& session, v1::RestoreRequest& request) { return session.Restore(request); });
}

absl::Status SessionService::CheckFork(const v1::ForkRequest& request,
                                       const Session& session) const {
  LIVND_RETURN_IF_ERROR(CheckRequestId(request.request_id()));
  constexpr int kMaxSessions = 1024;
  if (request.num_sessions() < 1 || request.num_sessions() > kMaxSessions) {
    return InvalidField("num_sessions", absl::StrCat(request.num_sessions()),
                        absl::StrCat("1 .. ", kMaxSessions));
  }
  if (request.copy_of().empty()) return absl::OkStatus();
  return CheckNumEnvs("copy_of", request.copy_of_size(), session.spec(), session.autoreset());
}

grpc::ServerUnaryReactor* SessionService::GetSession(Context* context, const Bytes* in,
                                                     Bytes* out) {
  return AnswerOnStrand<v1::GetSessionRequest>(
      registry_, {context, in, out, reception_},
      [](Session& session, const v1::GetSessionRequest&) { return session.Get(); });
}

grpc::ServerUnaryReactor* SessionService::AttachSession(Context* context, const Bytes* in,
                                                        Bytes* out) {
  return AnswerOnStrand<v1::AttachSessionRequest>(
      registry_, {context, in, out, reception_},
      [](Session& session, const v1::AttachSessionRequest&) { return session.Attach(); });
}

grpc::ServerUnaryReactor* SessionService::RenewLease(Context* context, const Bytes* in,
                                                     Bytes* out) {
  using Request = v1::RenewLeaseRequest;
  return AnswerLater<Request>(
      {context, in, out, reception_},
      [this](const std::string& tenant, std::unique_ptr<Request> request, AnswerCallback answer) {
        if (const absl::Status s = registry_.RenewLease(tenant, request->session()); !s.ok()) {
          std::move(answer)(s);
          return;
        }
        v1::RenewLeaseResponse response;
        if (const SessionRegistry::Options& options = registry_.options();
            options.lease < absl::InfiniteDuration() && options.journals != nullptr) {
          response.set_lease_s(absl::ToDoubleSeconds(options.lease));
        }
        std::move(answer)(SerializeMessage(response));
      });
}

grpc::ServerUnaryReactor* SessionService::Fork(Context* context, const Bytes* in, Bytes* out) {
  using Request = v1::ForkRequest;
  return AnswerLater<Request>(
      {context, in, out, reception_},
      [this](const std::string& tenant, std::unique_ptr<Request> request, AnswerCallback answer) {
        const std::string name = request->session();
        registry_.Acquire(
            tenant, name,
            [this, tenant, request = std::move(request),
             answer = std::move(answer)](absl::StatusOr<SessionUse> use) mutable {
              if (!use.ok()) {
                std::move(answer)(use.status());
                return;
              }
              Session& session = **use;
              session.Post([this, tenant, request = std::move(request), use = *std::move(use),
                            answer = std::move(answer)](Bid bid) mutable {
                if (bid == Bid::kGo) {
                  std::move(answer)(ShuttingDown());
                } else {
                  BeginFork(tenant, *request, *use, std::move(answer));
                }
                return Turn::kOver;
              });
            });
      });
}

void SessionService::BeginFork(const std::string& tenant, const v1::ForkRequest& request,
                               Session& session, AnswerCallback answer) {
  if (absl::Status s = CheckFork(request, session); !s.ok()) {
    std::move(answer)(s);
    return;
  }
  // It does not leave the process, so that its size is no matter.
  auto snapshot = session.Snapshot({}, std::numeric_limits<int64_t>::max());
  if (!snapshot.ok()) {
    std::move(answer)(snapshot.status());
    return;
  }
  registry_.Fork(tenant, request, session, *std::move(snapshot),
                 [answer = std::move(answer)](auto sessions) mutable {
                   if (!sessions.ok()) {
                     std::move(answer)(sessions.status());
                     return;
                   }
                   v1::ForkResponse response;
                   for (const std::shared_ptr<Session>& made : *sessions) {
                     *response.add_sessions() = made->Describe();
                   }
                   std::move(answer)(SerializeMessage(response));
                 });
}

grpc::ServerUnaryReactor* SessionService::DeleteSession(Context* context, const Bytes* in,
                                                        Bytes* out) {
  using Request = v1::DeleteSessionRequest;
  return AnswerLater<Request>(
      {context, in, out, reception_},
      [this](const std::string& tenant, std::unique_ptr<Request> request, AnswerCallback answer) {
        const bool allow_missing = request->allow_missing();
        EndAndForget(
            registry_.Remove(tenant, request->session(), request->generation()),
            [answer = std::move(answer), allow_missing](const absl::Status& ended) mutable {
              if (ended.ok() || (allow_missing && absl::IsNotFound(ended))) {
                std::move(answer)(SerializeMessage(v1::DeleteSessionResponse()));
              } else {
                std::move(answer)(ended);
              }
            });
      });
}

}  // namespace livnd::server
