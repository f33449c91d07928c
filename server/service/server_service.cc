#include "server/service/server_service.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_join.h"
#include "server/service/answer.h"
#include "server/wire/coding.h"
#include "server/wire/errors.h"

namespace livnd::server {

ServerService::ServerService(v1::GetServerInfoResponse info, std::vector<v1::System> systems,
                             Tenant::QuotaOf quota_of, const Reception& reception)
    : info_(std::move(info)), quota_of_(std::move(quota_of)), reception_(reception) {
  Exchange(std::move(systems));
}

void ServerService::Exchange(std::vector<v1::System> systems) {
  auto by_name = std::make_shared<Systems>();
  for (v1::System& system : systems) {
    const std::string name = system.name();
    (*by_name)[name] = std::move(system);
  }
  MutexLock lock(mu_);
  systems_ = std::move(by_name);
}

std::shared_ptr<const ServerService::Systems> ServerService::systems() const {
  MutexLock lock(mu_);
  return systems_;
}

grpc::ServerUnaryReactor* ServerService::GetServerInfo(Context* context, const Bytes* in,
                                                       Bytes* out) {
  using Request = v1::GetServerInfoRequest;
  return AnswerLater<Request>(
      {context, in, out, reception_, Callers::kEither},
      [this](const std::string& tenant, std::unique_ptr<Request>, AnswerCallback answer) {
        v1::GetServerInfoResponse info = info_;
        if (quota_of_) {
          const Quota quota = quota_of_(tenant);
          info.mutable_quota()->set_max_sessions(quota.max_sessions);
          info.mutable_quota()->set_max_envs(quota.max_envs);
          info.mutable_quota()->set_max_bytes(quota.max_bytes);
          info.mutable_quota()->set_max_simulated_s(quota.max_simulated_s);
        }
        std::move(answer)(SerializeMessage(info));
      });
}

grpc::ServerUnaryReactor* ServerService::ListSystems(Context* context, const Bytes* in,
                                                     Bytes* out) {
  return AnswerNow<v1::ListSystemsRequest>(
      {context, in, out, reception_, Callers::kEither},
      [this](const auto&) -> absl::StatusOr<v1::ListSystemsResponse> {
        v1::ListSystemsResponse response;
        const std::shared_ptr<const Systems> systems = this->systems();
        for (const auto& [name, system] : *systems) response.add_systems(name);
        return response;
      });
}

grpc::ServerUnaryReactor* ServerService::GetSystem(Context* context, const Bytes* in, Bytes* out) {
  return AnswerNow<v1::GetSystemRequest>(
      {context, in, out, reception_, Callers::kEither},
      [this](const v1::GetSystemRequest& request) -> absl::StatusOr<v1::GetSystemResponse> {
        const std::shared_ptr<const Systems> systems = this->systems();
        const auto found = systems->find(request.system());
        if (found == systems->end()) {
          return NotFound(reason::kUnknownSystem, "system", request.system(),
                          absl::StrJoin(*systems, ", ", [](std::string* names, const auto& entry) {
                            names->append(entry.first);
                          }));
        }
        v1::GetSystemResponse response;
        *response.mutable_system() = found->second;
        return response;
      });
}

grpc::ServerUnaryReactor* ServerService::ListCodings(Context* context, const Bytes* in,
                                                     Bytes* out) {
  return AnswerNow<v1::ListCodingsRequest>(
      {context, in, out, reception_, Callers::kEither},
      [](const auto&) -> absl::StatusOr<v1::ListCodingsResponse> {
        // They are the same for as long as the program runs.
        static const auto* codings = [] {
          auto* made = new v1::ListCodingsResponse();
          EncodeCodings(made);
          return made;
        }();
        return *codings;
      });
}

}  // namespace livnd::server
