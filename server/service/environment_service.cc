#include "server/service/environment_service.h"

#include <memory>

#include "absl/status/statusor.h"
#include "base/status_macros.h"
#include "env/spec.h"
#include "server/service/answer.h"
#include "server/session/session.h"
#include "server/wire/spec.h"

namespace livnd::server {

grpc::ServerUnaryReactor* EnvironmentService::ListEnvironments(Context* context, const Bytes* in,
                                                               Bytes* out) {
  return AnswerNow<v1::ListEnvironmentsRequest>(
      {context, in, out, reception_},
      [this](const auto&) -> absl::StatusOr<v1::ListEnvironmentsResponse> {
        v1::ListEnvironmentsResponse response;
        const auto offered = store_.offered();
        for (const env::EnvironmentSpec& spec : offered->specs) {
          *response.add_environments() = EncodeEnvironmentSpec(spec);
        }
        for (const v1::EnvironmentNotOffered& one : offered->not_offered) {
          *response.add_not_offered() = one;
        }
        return response;
      });
}

grpc::ServerUnaryReactor* EnvironmentService::DescribeEnvironment(Context* context, const Bytes* in,
                                                                  Bytes* out) {
  return AnswerNow<v1::DescribeEnvironmentRequest>(
      {context, in, out, reception_},
      [this](const v1::DescribeEnvironmentRequest& request)
          -> absl::StatusOr<v1::DescribeEnvironmentResponse> {
        LIVND_ASSIGN_OR_RETURN(const std::shared_ptr<const env::EnvironmentSpec> spec,
                               store_.Find(request.environment_id()));
        v1::DescribeEnvironmentResponse response;
        *response.mutable_environment() = EncodeEnvironmentSpec(*spec);
        return response;
      });
}

grpc::ServerUnaryReactor* EnvironmentService::Reset(Context* context, const Bytes* in, Bytes* out) {
  return AnswerOnStrand<v1::ResetRequest>(
      registry_, {context, in, out, reception_},
      [](Session& session, v1::ResetRequest& request) { return session.Reset(request); });
}

grpc::ServerUnaryReactor* EnvironmentService::Step(Context* context, const Bytes* in, Bytes* out) {
  return AnswerOnStrand<v1::StepRequest>(
      registry_, {context, in, out, reception_},
      [](Session& session, v1::StepRequest& request) { return session.Step(request); });
}

grpc::ServerUnaryReactor* EnvironmentService::Observe(Context* context, const Bytes* in,
                                                      Bytes* out) {
  return AnswerOnStrand<v1::ObserveRequest>(
      registry_, {context, in, out, reception_},
      [](Session& session, const v1::ObserveRequest&) { return session.Observe(); });
}

grpc::ServerUnaryReactor* EnvironmentService::Render(Context* context, const Bytes* in,
                                                     Bytes* out) {
  return AnswerOnStrand<v1::RenderRequest>(
      registry_, {context, in, out, reception_},
      [this](Session& session, const v1::RenderRequest& request) {
        return session.Render(request, max_send_message_bytes_);
      });
}

}  // namespace livnd::server
