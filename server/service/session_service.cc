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
                std::move(answer)(SerializeMessage(DescribeSession(**session)));
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
      [](Session& session, const v1::RestoreRequest& request) { return session.Restore(request); });
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

grpc::ServerUnaryReactor* SessionService::Fork(Context* context, const Bytes* in, Bytes* out) {
  using Request = v1::ForkRequest;
  return AnswerLater<Request>(
      {context, in, out, reception_},
      [this](const std::string& tenant, std::unique_ptr<Request> request, AnswerCallback answer) {
        absl::StatusOr<SessionUse> use = registry_.Acquire(tenant, request->session());
        if (!use.ok()) {
          std::move(answer)(use.status());
          return;
        }
        Session& session = **use;
        session.Post([this, tenant, request = std::move(request), use = *std::move(use),
                      answer = std::move(answer)](Bid bid) mutable {
          if (bid == Bid::kGo) {
            std::move(answer)(ShuttingDown());
            return Turn::kOver;
          }
          if (absl::Status s = CheckFork(*request, *use); !s.ok()) {
            std::move(answer)(s);
            return Turn::kOver;
          }
          // It does not leave the process, so that its size is no matter.
          auto snapshot = use->Snapshot({}, std::numeric_limits<int64_t>::max());
          if (!snapshot.ok()) {
            std::move(answer)(snapshot.status());
            return Turn::kOver;
          }
          registry_.Fork(tenant, *request, *use, *std::move(snapshot),
                         [answer = std::move(answer)](auto sessions) mutable {
                           if (!sessions.ok()) {
                             std::move(answer)(sessions.status());
                             return;
                           }
                           v1::ForkResponse response;
                           for (const std::shared_ptr<Session>& made : *sessions) {
                             *response.add_sessions() = DescribeSession(*made);
                           }
                           std::move(answer)(SerializeMessage(response));
                         });
          return Turn::kOver;
        });
      });
}

grpc::ServerUnaryReactor* SessionService::DeleteSession(Context* context, const Bytes* in,
                                                        Bytes* out) {
  using Request = v1::DeleteSessionRequest;
  return AnswerLater<Request>(
      {context, in, out, reception_},
      [this](const std::string& tenant, std::unique_ptr<Request> request, AnswerCallback answer) {
        absl::StatusOr<std::shared_ptr<Session>> session =
            registry_.Remove(tenant, request->session());
        if (session.ok()) {
          LogLine(Severity::kInfo, "session deleted",
                  {{"session", (*session)->tag()}, {"environment_id", (*session)->spec().id}});
          // After the answers of its calls, unless it is closed; the session itself goes with this task.
          Session& removed = **session;
          removed.Post([session = *std::move(session), answer = std::move(answer)](Bid) mutable {
            session.reset();
            std::move(answer)(SerializeMessage(v1::DeleteSessionResponse()));
            return Turn::kOver;
          });
        } else if (request->allow_missing()) {
          std::move(answer)(SerializeMessage(v1::DeleteSessionResponse()));
        } else {
          std::move(answer)(session.status());
        }
      });
}

}  // namespace livnd::server
