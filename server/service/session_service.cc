#include "server/service/session_service.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "env/spec.h"
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
  if (request.request_id().empty() || request.request_id().size() > kMaxRequestIdBytes) {
    return InvalidField("request_id", absl::StrCat(request.request_id().size(), " bytes"),
                        absl::StrCat("1 .. ", kMaxRequestIdBytes, " bytes"));
  }
  LIVND_ASSIGN_OR_RETURN(const env::EnvironmentSpec* spec, store_.Find(request.environment_id()));
  LIVND_ASSIGN_OR_RETURN(const env::AutoresetMode autoreset,
                         ParseAutoresetMode(request.autoreset_mode()));
  const bool is_culture = spec->kind == env::EnvironmentKind::kCulture;
  if (request.max_episode_steps() < 0 || (is_culture && request.max_episode_steps() > 0)) {
    return InvalidField("max_episode_steps", absl::StrCat(request.max_episode_steps()),
                        is_culture ? "0: a culture has no episodes" : "0 or more");
  }
  const int64_t max_envs = std::min<int64_t>(
      registry_.options().max_envs_per_session,
      MaxCopiesPerMessage(*spec, autoreset, max_receive_message_bytes_, max_send_message_bytes_));
  const std::string value = absl::StrCat(request.num_envs());
  const std::string accepted = absl::StrCat("1 .. ", max_envs);
  if (request.num_envs() < 1) return InvalidField("num_envs", value, accepted);
  if (request.num_envs() > max_envs) {
    return MakeError(
        absl::StatusCode::kResourceExhausted, reason::kTooManyEnvs,
        absl::StrCat("num_envs is ", value, "; one session of ", spec->id, " takes ", accepted),
        {{"field", "num_envs"}, {"value", value}, {"accepted", accepted}});
  }
  return autoreset;
}

grpc::ServerUnaryReactor* SessionService::CreateSession(Context* context, const Bytes* in,
                                                        Bytes* out) {
  using Request = v1::CreateSessionRequest;
  return AnswerLater<Request>(
      {context, in, out, registry_.metrics()},
      [this](std::unique_ptr<Request> request, AnswerCallback answer) {
        const absl::StatusOr<env::AutoresetMode> autoreset = CheckCreate(*request);
        if (!autoreset.ok()) {
          std::move(answer)(autoreset.status());
          return;
        }
        registry_.Create(
            *request, *autoreset,
            [answer = std::move(answer)](absl::StatusOr<std::shared_ptr<Session>> session) mutable {
              if (session.ok()) {
                std::move(answer)(SerializeMessage(DescribeSession(**session)));
              } else {
                std::move(answer)(session.status());
              }
            });
      });
}

grpc::ServerUnaryReactor* SessionService::DeleteSession(Context* context, const Bytes* in,
                                                        Bytes* out) {
  using Request = v1::DeleteSessionRequest;
  return AnswerLater<Request>(
      {context, in, out, registry_.metrics()},
      [this](std::unique_ptr<Request> request, AnswerCallback answer) {
        absl::StatusOr<std::shared_ptr<Session>> session = registry_.Remove(request->session());
        if (session.ok()) {
          // After the answers of its calls; the session itself goes with this task.
          Session& removed = **session;
          removed.Post([session = *std::move(session), answer = std::move(answer)]() mutable {
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
