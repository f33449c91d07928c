// The line to one server; what Client and the sessions share. Not for users of the library.
#ifndef LIVND_CLIENTS_CPP_CONNECTION_H_
#define LIVND_CLIENTS_CPP_CONNECTION_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "clients/cpp/address.h"
#include "clients/cpp/client_options.h"
#include "clients/cpp/credentials.h"
#include "clients/cpp/renewals.h"
#include "clients/cpp/result.h"
#include "google/protobuf/message.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "livnd/v1/admin_service.grpc.pb.h"
#include "livnd/v1/culture_service.grpc.pb.h"
#include "livnd/v1/environment_service.grpc.pb.h"
#include "livnd/v1/recording_service.grpc.pb.h"
#include "livnd/v1/server_service.grpc.pb.h"
#include "livnd/v1/session_service.grpc.pb.h"

namespace livnd::client {

namespace internal {

class StepWire;

// Between the repeats of a call: the first pause, and how long they grow.
inline constexpr std::chrono::milliseconds kFirstBackoff{50};
inline constexpr std::chrono::milliseconds kMaxBackoff{1000};
// Somewhere in the upper half of it, so that many clients do not come back at once.
std::chrono::milliseconds Jitter(std::chrono::milliseconds backoff);

// What the status of a call says.
Error ErrorOf(const grpc::Status& status);
// Whether the call is made again, as error_reason.proto says.
bool ShouldRepeat(const Error& error);

// Connects with the first call, and again when the line breaks. Renews the leases of the sessions that
// it is told of. Thread-safe.
class Connection {
 public:
  Connection(const std::string& address, ClientOptions options);

  const ClientOptions& options() const { return options_; }

  // What the server said of itself, asked once. UNAVAILABLE or DEADLINE_EXCEEDED: nobody answers.
  Result<v1::GetServerInfoResponse> ServerInfo();

  // A method of one of the protocol's services.
  template <typename Stub, typename Request, typename Response>
  using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Response*);

  // Calls a method, repeatedly as ClientOptions::retry_time says. Every call of the
  // protocol may be repeated: what changes a session carries its op_index, and is done once.
  // MESSAGE_TOO_LARGE: larger than the server takes; nothing was sent.
  template <typename Stub, typename Request, typename Response>
  Result<void> Call(Method<Stub, Request, Response> method, const Request& request,
                    Response* response, std::chrono::milliseconds timeout) {
    return CallUntilDecided(request, timeout, [&](grpc::ClientContext* context) {
      return (Of<Stub>().*method)(context, request, response);
    });
  }
  template <typename Stub, typename Request, typename Response>
  Result<void> Call(Method<Stub, Request, Response> method, const Request& request,
                    Response* response) {
    return Call(method, request, response, options_.call_timeout);
  }

  // Has `each` look at piece after piece of a recording; where the line breaks, goes on after the last
  // one. An error of `each` ends it, and is returned.
  using Piece = std::function<Result<void>(const v1::ReadRecordingResponse&)>;
  Result<void> ReadRecording(v1::ReadRecordingRequest request, const Piece& each);

  // MESSAGE_TOO_LARGE: larger than the server takes. Connects for that.
  Result<void> CheckSize(const google::protobuf::Message& request);

  // A stream of steps, as the line is. After a Connect.
  std::unique_ptr<StepWire> OpenStepStream();
  // Waits until there is somebody to ask, for so long: a broken line is mended meanwhile.
  void WaitForServer(std::chrono::steady_clock::duration patience);
  // Whether there is another token by now than the one that the server has refused.
  bool HasRenewedToken(const std::string& refused);

  // Renews the session's lease in the background, from Hold until Release of the same holder.
  void Hold(const std::string& session, int64_t generation);
  void Release(const std::string& session, int64_t generation) {
    renewals_.Remove(session, generation);
  }

  // Calls a method once and forgets the outcome.
  template <typename Stub, typename Request, typename Response>
  void TryOnce(Method<Stub, Request, Response> method, const Request& request,
               std::chrono::milliseconds timeout) {
    grpc::ClientContext context;
    Prepare(&context, timeout);
    Response unused;
    (Of<Stub>().*method)(&context, request, &unused);
  }

 private:
  template <typename Stub>
  Stub& Of() {
    return *std::get<std::unique_ptr<Stub>>(stubs_);
  }
  // Fills in info_.
  Result<void> Connect();
  // GetServerInfo, for so long; as soon as there is somebody to ask, or as the line is.
  grpc::Status AskServer(std::chrono::steady_clock::duration patience, bool wait,
                         v1::GetServerInfoResponse* info);
  // Gives a call its deadline and token; returns the token.
  std::string Prepare(grpc::ClientContext* context, std::chrono::steady_clock::duration timeout);
  // Gives it its token, which it returns.
  std::string Authorize(grpc::ClientContext* context);
  // False if there is no such session any more.
  bool RenewLease(const std::string& session, grpc::ClientContext* context);
  Error NobodyAnswers(Error error);
  Result<void> CallUntilDecided(const google::protobuf::Message& request,
                                std::chrono::milliseconds timeout,
                                const std::function<grpc::Status(grpc::ClientContext*)>& attempt);

  const ClientOptions options_;
  const Result<Address> address_;
  const Result<Credentials> credentials_;
  // Null without an address or credentials.
  std::tuple<std::unique_ptr<v1::ServerService::Stub>,
             std::unique_ptr<v1::EnvironmentService::Stub>,
             std::unique_ptr<v1::CultureService::Stub>, std::unique_ptr<v1::SessionService::Stub>,
             std::unique_ptr<v1::RecordingService::Stub>, std::unique_ptr<v1::AdminService::Stub>>
      stubs_;
  std::mutex mu_;
  bool connected_ = false;  // guarded by mu_, as is info_ until it is true
  std::mutex token_mu_;
  std::string token_;  // guarded by token_mu_; empty: none
  v1::GetServerInfoResponse info_;
  Renewals renewals_;  // last: its thread uses what is above
};

}  // namespace internal
}  // namespace livnd::client

#endif  // LIVND_CLIENTS_CPP_CONNECTION_H_
