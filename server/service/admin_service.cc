#include "server/service/admin_service.h"

#include <memory>
#include <string>
#include <utility>

#include "server/machine/log.h"
#include "server/service/answer.h"

namespace livnd::server {

grpc::ServerUnaryReactor* AdminService::ListSessions(Context* context, const Bytes* in,
                                                     Bytes* out) {
  return AnswerNow<v1::ListSessionsRequest>(
      {context, in, out, reception_, Callers::kAdmins},
      [this](const auto&) -> absl::StatusOr<v1::ListSessionsResponse> {
        v1::ListSessionsResponse response;
        for (v1::SessionSummary& summary : registry_.List()) {
          *response.add_sessions() = std::move(summary);
        }
        return response;
      });
}

grpc::ServerUnaryReactor* AdminService::EndSession(Context* context, const Bytes* in, Bytes* out) {
  using Request = v1::EndSessionRequest;
  return AnswerLater<Request>(
      {context, in, out, reception_, Callers::kAdmins},
      [this](const std::string&, std::unique_ptr<Request> request, AnswerCallback answer) {
        const auto found = registry_.FindByBeginning(request->session());
        if (!found.ok()) {
          std::move(answer)(found.status());
          return;
        }
        EndAndForget(
            registry_.Remove(found->tenant, found->name),
            [answer = std::move(answer), name = found->name](const absl::Status& ended) mutable {
              if (!ended.ok()) {
                std::move(answer)(ended);
                return;
              }
              v1::EndSessionResponse response;
              response.set_session(name);
              std::move(answer)(SerializeMessage(response));
            });
      });
}

grpc::ServerUnaryReactor* AdminService::Drain(Context* context, const Bytes* in, Bytes* out) {
  return AnswerNow<v1::DrainRequest>({context, in, out, reception_, Callers::kAdmins},
                                     [this](const auto&) -> absl::StatusOr<v1::DrainResponse> {
                                       end_();
                                       return v1::DrainResponse();
                                     });
}

}  // namespace livnd::server
