#include "clients/cpp/connection.h"

#include <algorithm>
#include <cstdlib>
#include <random>
#include <thread>
#include <utility>

#include "clients/cpp/step_wire.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace livnd::client::internal {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kRenewTimeout{5000};

std::shared_ptr<grpc::Channel> MakeChannel(const Address& address, const Credentials& credentials) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);  // the server keeps to its own cap
  arguments.SetMaxSendMessageSize(-1);     // checked before sending, with a better message
  if (ProxyVariable(address).empty()) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // One connection a client, closed with it.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Come back soon to a server that comes back.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  // In spite of its name: how long one attempt to connect may take.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);
  return grpc::CreateCustomChannel(address.target, credentials.ForChannel(), arguments);
}

}  // namespace

Error ErrorOf(const grpc::Status& status) {
  Error error;
  error.code = status.error_code();
  error.message = status.error_message();
  google::rpc::Status details;
  if (details.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : details.details()) {
      google::rpc::RetryInfo retry;
      if (detail.UnpackTo(&retry)) {
        error.retry_after =
            std::chrono::seconds(std::max<int64_t>(0, retry.retry_delay().seconds())) +
            std::chrono::nanoseconds(std::max(0, retry.retry_delay().nanos()));
      }
      google::rpc::ErrorInfo info;
      if (!detail.UnpackTo(&info) || info.domain() != "livnd") continue;
      error.reason = info.reason();
      error.metadata.insert(info.metadata().begin(), info.metadata().end());
    }
  }
  // A server that gives a reason has done nothing; unless the reason is a defect of its own, or that
  // it could not keep what it did.
  error.in_doubt =
      error.code == grpc::StatusCode::INTERNAL ||
      (error.code == grpc::StatusCode::UNAVAILABLE && error.reason == "STATE_NOT_WRITTEN") ||
      (error.reason.empty() && error.code != grpc::StatusCode::UNIMPLEMENTED);
  return error;
}

// RESOURCE_EXHAUSTED without a reason is gRPC's: it breaks off calls where it is short of memory.
bool ShouldRepeat(const Error& error) {
  return error.code == grpc::StatusCode::UNAVAILABLE || error.retry_after.has_value() ||
         (error.code == grpc::StatusCode::RESOURCE_EXHAUSTED && error.reason.empty());
}

milliseconds Jitter(milliseconds backoff) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return backoff / 2 +
         milliseconds(std::uniform_int_distribution<int64_t>(0, backoff.count() / 2)(random));
}

Connection::Connection(const std::string& address, ClientOptions options)
    : options_(std::move(options)),
      address_(ParseAddress(address)),
      credentials_(Credentials::Make(options_)),
      renewals_([this](const std::string& session, grpc::ClientContext* context) {
        return RenewLease(session, context);
      }) {
  if (!address_.ok() || !credentials_.ok()) return;
  if (Result<std::string> token = credentials_->ReadToken(); token.ok()) token_ = *std::move(token);
  const std::shared_ptr<grpc::Channel> channel = MakeChannel(*address_, *credentials_);
  stubs_ = {v1::ServerService::NewStub(channel),    v1::EnvironmentService::NewStub(channel),
            v1::CultureService::NewStub(channel),   v1::SessionService::NewStub(channel),
            v1::RecordingService::NewStub(channel), v1::AdminService::NewStub(channel)};
}

Result<v1::GetServerInfoResponse> Connection::ServerInfo() {
  if (const Result<void> connected = Connect(); !connected.ok()) return connected.error();
  return info_;
}

Result<void> Connection::Connect() {
  if (!address_.ok()) return address_.error();
  if (!credentials_.ok()) return credentials_.error();
  const std::lock_guard<std::mutex> lock(mu_);
  if (connected_) return {};
  const grpc::Status status = AskServer(options_.connect_timeout, /*wait=*/true, &info_);
  if (status.ok()) {
    connected_ = true;
    return {};
  }
  Error error = ErrorOf(status);
  if (error.code == grpc::StatusCode::UNIMPLEMENTED) {
    error.message = "what answers at " + address_->text +
                    " is no livnd server, or another version of its protocol than livnd.v1";
  } else if (error.code == grpc::StatusCode::UNAVAILABLE ||
             error.code == grpc::StatusCode::DEADLINE_EXCEEDED) {
    return NobodyAnswers(std::move(error));
  }
  return error;
}

Error Connection::NobodyAnswers(Error error) {
  error.message = "no livnd server answers at " + address_->text + " (waited " +
                  std::to_string(options_.connect_timeout.count()) + " ms, ";
  if (!credentials_->has_tls()) {
    error.message += "without TLS)";
  } else {
    error.message += std::string("with TLS ") + (credentials_->shows() ? "and" : "without") +
                     " a certificate of the client's own)";
  }
  if (const std::string variable = ProxyVariable(*address_); !variable.empty()) {
    error.message += "; the environment variable " + variable + " sends calls through the proxy " +
                     std::getenv(variable.c_str()) + ": unset it, or add " + address_->host +
                     " to no_proxy";
  }
  v1::GetServerInfoResponse unused;
  const grpc::Status why_not =
      credentials_->has_tls() ? AskServer(kMaxBackoff, /*wait=*/false, &unused) : grpc::Status::OK;
  if (why_not.ok()) {
    error.message += ". Start one with: livnd serve --listen " + address_->text +
                     " --state-dir DIR --systems DIR";
  } else {
    error.message += ": " + why_not.error_message();
  }
  error.in_doubt = false;
  return error;
}

std::string Connection::Prepare(grpc::ClientContext* context, steady_clock::duration timeout) {
  context->set_deadline(std::chrono::system_clock::now() + timeout);
  return Authorize(context);
}

std::string Connection::Authorize(grpc::ClientContext* context) {
  const std::lock_guard<std::mutex> lock(token_mu_);
  if (!token_.empty()) context->AddMetadata("authorization", "Bearer " + token_);
  return token_;
}

bool Connection::HasRenewedToken(const std::string& refused) {
  Result<std::string> token = credentials_->ReadToken();
  const std::lock_guard<std::mutex> lock(token_mu_);
  if (token.ok()) token_ = *std::move(token);
  return token_ != refused;
}

grpc::Status Connection::AskServer(steady_clock::duration patience, bool wait,
                                   v1::GetServerInfoResponse* info) {
  grpc::ClientContext context;
  context.set_wait_for_ready(wait);
  Prepare(&context, patience);
  return Of<v1::ServerService::Stub>().GetServerInfo(&context, v1::GetServerInfoRequest(), info);
}

void Connection::WaitForServer(steady_clock::duration patience) {
  v1::GetServerInfoResponse unused;
  AskServer(patience, /*wait=*/true, &unused);
}

std::unique_ptr<StepWire> Connection::OpenStepStream() {
  auto wire = std::make_unique<StepWire>();
  wire->token = Authorize(wire->context());
  wire->Open(Of<v1::EnvironmentService::Stub>());
  return wire;
}

void Connection::Hold(const std::string& session, int64_t generation) {
  renewals_.Add(session, generation, std::chrono::duration<double>(info_.session_lease_s()));
}

bool Connection::RenewLease(const std::string& session, grpc::ClientContext* context) {
  v1::RenewLeaseRequest request;
  request.set_session(session);
  v1::RenewLeaseResponse unused;
  Prepare(context, kRenewTimeout);
  const Error error = ErrorOf(Of<v1::SessionService::Stub>().RenewLease(context, request, &unused));
  return error.reason != "UNKNOWN_SESSION";
}

Result<void> Connection::CheckSize(const google::protobuf::Message& request) {
  if (Result<void> connected = Connect(); !connected.ok()) return connected;
  const int64_t size = static_cast<int64_t>(request.ByteSizeLong());
  const int64_t cap = info_.max_receive_message_bytes();
  if (size <= cap) return {};
  return Error{
      grpc::StatusCode::RESOURCE_EXHAUSTED,
      "the request has " + std::to_string(size) + " bytes; the server takes " + std::to_string(cap),
      "MESSAGE_TOO_LARGE",
      {{"value", std::to_string(size) + " bytes"}, {"accepted", std::to_string(cap) + " bytes"}}};
}

Result<void> Connection::ReadRecording(v1::ReadRecordingRequest request, const Piece& each) {
  // However long it is, no piece takes long.
  constexpr std::chrono::hours kNoLimit{24 * 365};
  while (true) {
    bool got_on = false;
    Result<void> looked;
    const Result<void> called =
        CallUntilDecided(request, kNoLimit, [&](grpc::ClientContext* context) {
          const auto reader = Of<v1::RecordingService::Stub>().ReadRecording(context, request);
          v1::ReadRecordingResponse piece;
          while (looked.ok() && reader->Read(&piece)) {
            got_on = true;
            request.set_first(piece.next());
            looked = each(piece);
          }
          if (!looked.ok()) context->TryCancel();
          const grpc::Status status = reader->Finish();
          return looked.ok() ? status : grpc::Status::OK;
        });
    if (!looked.ok()) return looked;
    // Patience is with a line that gives nothing.
    if (called.ok() || !got_on || !ShouldRepeat(called.error())) return called;
  }
}

Result<void> Connection::CallUntilDecided(
    const google::protobuf::Message& request, milliseconds timeout,
    const std::function<grpc::Status(grpc::ClientContext*)>& attempt) {
  if (Result<void> fits = CheckSize(request); !fits.ok()) return fits;
  milliseconds backoff = kFirstBackoff;
  steady_clock::time_point give_up = steady_clock::time_point::max();
  bool in_doubt = false;  // after any attempt
  while (true) {
    grpc::ClientContext context;
    const std::string token = Prepare(&context, timeout);
    const grpc::Status status = attempt(&context);
    if (status.ok()) return {};
    // Nothing was done; and the token may be another one by now.
    if (status.error_code() == grpc::StatusCode::UNAUTHENTICATED && HasRenewedToken(token))
      continue;
    Error error = ErrorOf(status);
    const bool repeat = ShouldRepeat(error);
    // The answer to a repeat is the answer to the call, unless the server could not yet tell.
    in_doubt = error.in_doubt || (in_doubt && repeat);
    error.in_doubt = in_doubt;
    const steady_clock::time_point now = steady_clock::now();
    give_up = std::min(give_up, now + options_.retry_time);
    if (!repeat || now >= give_up) return error;
    const steady_clock::duration pause =
        Jitter(backoff) + error.retry_after.value_or(std::chrono::nanoseconds(0));
    std::this_thread::sleep_for(std::min<steady_clock::duration>(pause, give_up - now));
    // A broken line is mended while a call waits for it, and not while this thread sleeps.
    if (error.reason.empty()) WaitForServer(give_up - steady_clock::now());
    backoff = std::min(2 * backoff, kMaxBackoff);
  }
}

}  // namespace livnd::client::internal
