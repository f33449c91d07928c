// The line to one server; what Client and Session share. Not for users of the library.
#ifndef LIVND_CLIENTS_CPP_CONNECTION_H_
#define LIVND_CLIENTS_CPP_CONNECTION_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "clients/cpp/result.h"
#include "google/protobuf/message.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "livnd/v1/environment_service.grpc.pb.h"

namespace livnd::client {

struct ClientOptions {
  // Of one attempt. A step of a large culture may take long; the server finishes it in any case.
  std::chrono::milliseconds call_timeout{60'000};
  // Of one call, counting the first. Attempts are repeated where the transport failed; the protocol
  // makes sure that no operation is done twice.
  int max_attempts = 5;
  // Before the second attempt; doubles with each, up to a second.
  std::chrono::milliseconds first_backoff{50};
  // How long one call waits for a server that cannot be reached.
  std::chrono::milliseconds reconnect_timeout{5'000};
};

namespace internal {

// Thread-safe.
class Connection {
 public:
  using Stub = v1::EnvironmentService::Stub;

  Connection(const std::string& address, ClientOptions options);

  template <typename Request, typename Response>
  using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Response*);

  // Calls a method of the stub, again after failures of the transport.
  template <typename Request, typename Response>
  Result<void> Call(Method<Request, Response> method, const Request& request, Response* response) {
    return CallUntilDecided(request, [&](grpc::ClientContext* context) {
      return (stub_.get()->*method)(context, request, response);
    });
  }

  // Calls a method once and forgets the outcome.
  template <typename Request, typename Response>
  void TryOnce(Method<Request, Response> method, const Request& request,
               std::chrono::milliseconds timeout) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    Response unused;
    (stub_.get()->*method)(&context, request, &unused);
  }

  // Asks the server how long a request may be; from then on longer ones are not sent.
  Result<void> LearnMessageCap();

 private:
  Result<void> CallUntilDecided(const google::protobuf::Message& request,
                                const std::function<grpc::Status(grpc::ClientContext*)>& attempt);

  const ClientOptions options_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<Stub> stub_;
  std::atomic<int64_t> max_request_bytes_{0};  // 0: not known yet
};

}  // namespace internal
}  // namespace livnd::client

#endif  // LIVND_CLIENTS_CPP_CONNECTION_H_
