// The gRPC services grpc.reflection.v1.ServerReflection and its older name v1alpha.
#ifndef LIVND_SERVER_SERVICE_REFLECTION_SERVICE_H_
#define LIVND_SERVER_SERVICE_REFLECTION_SERVICE_H_

#include "grpc/reflection/v1/reflection.grpc.pb.h"
#include "grpc/reflection/v1alpha/reflection.grpc.pb.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "server/wire/reflection.h"

namespace livnd::server {

namespace internal {
using ReflectionReactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

// Answers a stream's requests in turn, and lives as long as the stream.
ReflectionReactor* NewReflectionStream(const Reflection& reflection);
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
  // `reflection` outlives it.
  explicit ReflectionService(const Reflection& reflection) : reflection_(reflection) {}

 private:
  internal::ReflectionReactor* ServerReflectionInfo(grpc::CallbackServerContext*) override {
    return internal::NewReflectionStream(reflection_);
  }

  const Reflection& reflection_;
};

using ReflectionV1 = ReflectionService<grpc::reflection::v1::ServerReflection>;
using ReflectionV1Alpha = ReflectionService<grpc::reflection::v1alpha::ServerReflection>;

}  // namespace livnd::server

#endif  // LIVND_SERVER_SERVICE_REFLECTION_SERVICE_H_
