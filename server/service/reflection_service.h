// The gRPC services grpc.reflection.v1.ServerReflection and its older name v1alpha.
#ifndef LIVND_SERVER_SERVICE_REFLECTION_SERVICE_H_
#define LIVND_SERVER_SERVICE_REFLECTION_SERVICE_H_

#include "absl/status/status.h"
#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "server/trust/trust.h"
#include "server/wire/reflection.h"

namespace livnd::server {

namespace internal {
using ReflectionReactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

// Answers a stream's requests in turn, and lives as long as the stream; or ends it at once for a caller
// who may not come in.
ReflectionReactor* NewReflectionStream(const Reflection& reflection, const absl::Status& admitted);
}  // namespace internal

// `Generated` is the service's generated class. The versions differ by their names only, so one
// code answers both, on raw bytes; gRPC's own parsing would take bytes that are no request for the
// end of the stream. A stream ends with its client, with its first malformed request or with the
// server. Thread-safe.
template <typename Generated>
class ReflectionService final
    : public Generated::template WithRawCallbackMethod_ServerReflectionInfo<
          typename Generated::Service> {
 public:
  // Both outlive it.
  ReflectionService(const Reflection& reflection, const Trust& trust)
      : reflection_(reflection), trust_(trust) {}

 private:
  internal::ReflectionReactor* ServerReflectionInfo(grpc::CallbackServerContext* context) override {
    return internal::NewReflectionStream(reflection_, trust_.TenantOf(*context).status());
  }

  const Reflection& reflection_;
  const Trust& trust_;
};

using ReflectionV1 = ReflectionService<grpc::reflection::v1::ServerReflection>;
using ReflectionV1Alpha = ReflectionService<grpc::reflection::v1alpha::ServerReflection>;

}  // namespace livnd::server

#endif  // LIVND_SERVER_SERVICE_REFLECTION_SERVICE_H_
