// The gRPC service livnd.v1.ServerService.
#ifndef LIVND_SERVER_SERVICE_SERVER_SERVICE_H_
#define LIVND_SERVER_SERVICE_SERVER_SERVICE_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "livnd/v1/server_service.grpc.pb.h"
#include "livnd/v1/server_service.pb.h"
#include "server/machine/mutex.h"
#include "server/service/reception.h"
#include "server/session/tenant.h"

namespace livnd::server {

namespace internal {
using RawServerService = v1::ServerService::WithRawCallbackMethod_GetServerInfo<
    v1::ServerService::WithRawCallbackMethod_ListSystems<
        v1::ServerService::WithRawCallbackMethod_GetSystem<
            v1::ServerService::WithRawCallbackMethod_ListCodings<v1::ServerService::Service>>>>;
}  // namespace internal

// Thread-safe. The reception must outlive the service.
class ServerService final : public internal::RawServerService {
 public:
  // `info` is what GetServerInfo answers, with the quota of the caller's tenant, where there are quotas.
  ServerService(v1::GetServerInfoResponse info, std::vector<v1::System> systems,
                Tenant::QuotaOf quota_of, const Reception& reception);

  // From now on these are told of.
  void Exchange(std::vector<v1::System> systems) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Context = grpc::CallbackServerContext;
  using Bytes = grpc::ByteBuffer;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* GetServerInfo(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* ListSystems(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* GetSystem(Context* context, const Bytes* in, Bytes* out) override;
  Reactor* ListCodings(Context* context, const Bytes* in, Bytes* out) override;

  using Systems = std::map<std::string, v1::System>;  // by name
  std::shared_ptr<const Systems> systems() const ABSL_LOCKS_EXCLUDED(mu_);

  const v1::GetServerInfoResponse info_;
  const Tenant::QuotaOf quota_of_;
  const Reception& reception_;
  mutable Mutex mu_;
  std::shared_ptr<const Systems> systems_ ABSL_GUARDED_BY(mu_);
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SERVICE_SERVER_SERVICE_H_
