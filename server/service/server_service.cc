#include "server/service/server_service.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_join.h"
#include "server/service/answer.h"
#include "server/wire/errors.h"

namespace livnd::server {

ServerService::ServerService(v1::GetServerInfoResponse info, std::vector<v1::System> systems,
                             Metrics& metrics)
    : info_(std::move(info)), metrics_(metrics) {
  for (v1::System& system : systems) {
    const std::string name = system.name();
    systems_[name] = std::move(system);
  }
}

grpc::ServerUnaryReactor* ServerService::GetServerInfo(Context* context, const Bytes* in,
                                                       Bytes* out) {
  return AnswerNow<v1::GetServerInfoRequest>(
      {context, in, out, metrics_},
      [this](const auto&) -> absl::StatusOr<v1::GetServerInfoResponse> { return info_; });
}

grpc::ServerUnaryReactor* ServerService::ListSystems(Context* context, const Bytes* in,
                                                     Bytes* out) {
  return AnswerNow<v1::ListSystemsRequest>(
      {context, in, out, metrics_}, [this](const auto&) -> absl::StatusOr<v1::ListSystemsResponse> {
        v1::ListSystemsResponse response;
        for (const auto& [name, system] : systems_) response.add_systems(name);
        return response;
      });
}

grpc::ServerUnaryReactor* ServerService::GetSystem(Context* context, const Bytes* in, Bytes* out) {
  return AnswerNow<v1::GetSystemRequest>(
      {context, in, out, metrics_},
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

}  // namespace livnd::server
