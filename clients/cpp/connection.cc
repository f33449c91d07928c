#include "clients/cpp/connection.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace livnd::client::internal {
namespace {

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);  // the server keeps to its own cap
  arguments.SetMaxSendMessageSize(-1);     // checked before sending, with a better message
  // A proxy of the environment must not catch calls to this machine.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // One connection a client, closed with it.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Come back soon to a server that comes back.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

Error ErrorOf(const grpc::Status& status) {
  Error error;
  error.code = status.error_code();
  error.message = status.error_message();
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return error;
  for (const google::protobuf::Any& detail : details.details()) {
    google::rpc::ErrorInfo info;
    if (!detail.UnpackTo(&info) || info.domain() != "livnd") continue;
    error.reason = info.reason();
    error.metadata.insert(info.metadata().begin(), info.metadata().end());
  }
  return error;
}

}  // namespace

Connection::Connection(const std::string& address, ClientOptions options)
    : options_(options),
      channel_(MakeChannel(address)),
      stub_(v1::EnvironmentService::NewStub(channel_)) {}

Result<void> Connection::LearnMessageCap() {
  if (max_request_bytes_ > 0) return {};
  v1::GetServerInfoResponse info;
  Result<void> called = Call(&Stub::GetServerInfo, v1::GetServerInfoRequest(), &info);
  if (called.ok()) max_request_bytes_ = info.max_receive_message_bytes();
  return called;
}

Result<void> Connection::CallUntilDecided(
    const google::protobuf::Message& request,
    const std::function<grpc::Status(grpc::ClientContext*)>& attempt) {
  const int64_t size = static_cast<int64_t>(request.ByteSizeLong());
  const int64_t cap = max_request_bytes_;
  if (cap > 0 && size > cap) {
    return Error{grpc::StatusCode::RESOURCE_EXHAUSTED,
                 "the request has " + std::to_string(size) + " bytes; the server takes " +
                     std::to_string(cap),
                 "MESSAGE_TOO_LARGE",
                 {{"value", std::to_string(size)}, {"accepted", std::to_string(cap)}}};
  }
  using std::chrono::system_clock;
  std::chrono::milliseconds backoff = options_.first_backoff;
  system_clock::time_point give_up = system_clock::time_point::max();  // on reaching the server
  for (int i = 1;; ++i) {
    grpc::ClientContext context;
    context.set_deadline(system_clock::now() + options_.call_timeout);
    const grpc::Status status = attempt(&context);
    if (status.ok()) return {};
    Error error = ErrorOf(status);
    // Other errors with a reason come from a server that has made up its mind.
    const bool repeat = error.in_doubt() || error.reason == "TOO_MANY_CALLS";
    if (!repeat || i >= options_.max_attempts) return error;
    if (error.code == grpc::StatusCode::UNAVAILABLE) {
      give_up = std::min(give_up, system_clock::now() + options_.reconnect_timeout);
      if (!channel_->WaitForConnected(give_up)) return error;
    }
    std::this_thread::sleep_for(backoff);
    backoff = std::min(2 * backoff, std::chrono::milliseconds(1000));
  }
}

}  // namespace livnd::client::internal
