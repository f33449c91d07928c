#include "clients/cpp/tests/lossy_proxy.h"

#include <cstdio>
#include <set>
#include <utility>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/server_builder.h"

namespace livnd::client {
namespace {

// Every byte as %XX, so that the URI that gRPC takes means this path whatever is in it.
std::string Quote(const std::string& path) {
  std::string quoted;
  for (const unsigned char c : path) {
    char code[4];
    std::snprintf(code, sizeof(code), "%%%02X", c);
    quoted += c == '/' ? "/" : code;
  }
  return quoted;
}

bool IsOperation(const std::string& method) {
  static const std::set<std::string> operations = {"Reset", "Step", "Run", "Clear", "Configure"};
  return operations.count(method.substr(method.rfind('/') + 1)) > 0;
}

}  // namespace

Fate Fate::Refused(grpc::StatusCode code, const std::string& reason) {
  google::rpc::ErrorInfo info;
  info.set_domain("livnd");
  info.set_reason(reason);
  google::rpc::Status details;
  details.set_code(code);
  details.add_details()->PackFrom(info);
  return {false, {code, "refused", details.SerializeAsString()}};
}

LossyProxy::LossyProxy(const std::string& path, const std::string& server_address)
    : path_(path),
      upstream_(grpc::CreateChannel(server_address, grpc::InsecureChannelCredentials())) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + Quote(path), grpc::InsecureServerCredentials());
  builder.RegisterAsyncGenericService(&service_);
  queue_ = builder.AddCompletionQueue();
  server_ = builder.BuildAndStart();
  thread_ = std::thread([this] { Serve(); });
}

LossyProxy::~LossyProxy() {
  {
    const std::lock_guard<std::mutex> lock(mu_);
    ending_ = true;
  }
  server_->Shutdown(std::chrono::system_clock::now());
  queue_->Shutdown();
  thread_.join();
}

void LossyProxy::Meet(Fate fate) {
  const std::lock_guard<std::mutex> lock(mu_);
  fates_.push_back(std::move(fate));
}

size_t LossyProxy::TakeFates() {
  const std::lock_guard<std::mutex> lock(mu_);
  const size_t num_left = fates_.size();
  fates_.clear();
  return num_left;
}

int64_t LossyProxy::num_operations() const {
  const std::lock_guard<std::mutex> lock(mu_);
  return num_operations_;
}

void LossyProxy::Serve() {
  void* tag;
  bool ok;
  const auto next = [&] { return queue_->Next(&tag, &ok) && ok; };
  while (true) {
    grpc::GenericServerContext context;
    grpc::GenericServerAsyncReaderWriter call(&context);
    {
      const std::lock_guard<std::mutex> lock(mu_);
      if (ending_) break;
      service_.RequestCall(&context, &call, queue_.get(), queue_.get(), nullptr);
    }
    if (!next()) break;
    grpc::ByteBuffer request;
    call.Read(&request, nullptr);
    if (!next()) continue;
    Fate fate;
    if (IsOperation(context.method())) {
      const std::lock_guard<std::mutex> lock(mu_);
      ++num_operations_;
      if (!fates_.empty()) {
        fate = fates_.front();
        fates_.pop_front();
      }
    }
    grpc::ByteBuffer response;
    grpc::Status status;
    if (fate.reaches_server) status = Forward(context.method(), request, &response);
    std::this_thread::sleep_for(fate.delay);
    if (!fate.status.ok()) status = fate.status;
    if (status.ok()) {
      call.WriteAndFinish(response, grpc::WriteOptions(), status, nullptr);
    } else {
      call.Finish(status, nullptr);
    }
    if (!queue_->Next(&tag, &ok)) break;
  }
  while (queue_->Next(&tag, &ok)) {
  }
}

grpc::Status LossyProxy::Forward(const std::string& method, const grpc::ByteBuffer& request,
                                 grpc::ByteBuffer* response) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  grpc::CompletionQueue queue;
  const auto call = upstream_.PrepareUnaryCall(&context, method, request, &queue);
  grpc::Status status;
  call->StartCall();
  call->Finish(response, &status, nullptr);
  void* tag;
  bool ok;
  queue.Next(&tag, &ok);
  return status;
}

}  // namespace livnd::client
