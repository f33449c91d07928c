// Serves EchoService at the address of its argument ("unix:PATH" or "HOST:PORT", port 0 for any) until
// standard input ends.
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "echo/echo.grpc.pb.h"
#include "tools/bench/worker.h"

namespace livnd::bench {
namespace {

void Answer(const echo::EchoRequest& request, echo::EchoResponse* response) {
  response->mutable_payload()->assign(request.response_bytes(), '\1');
}

class Stream final : public grpc::ServerBidiReactor<echo::EchoRequest, echo::EchoResponse> {
 public:
  Stream() { StartRead(&request_); }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    Answer(request_, &response_);
    StartWrite(&response_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    StartRead(&request_);
  }
  void OnDone() override { delete this; }

 private:
  echo::EchoRequest request_;
  echo::EchoResponse response_;
};

class EchoService final : public echo::EchoService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context,
                                 const echo::EchoRequest* request,
                                 echo::EchoResponse* response) override {
    Answer(*request, response);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
  grpc::ServerBidiReactor<echo::EchoRequest, echo::EchoResponse>* EchoStream(
      grpc::CallbackServerContext*) override {
    return new Stream;
  }
};

void Serve(const std::string& address) {
  EchoService service;
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(-1);
  builder.SetMaxSendMessageSize(-1);
  int port = 0;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) Die("cannot serve at " + address);
  const bool is_socket = address.rfind("unix:", 0) == 0;
  const std::string host = address.substr(0, address.rfind(':'));
  ServeCommands({{"address", is_socket ? address : host + ":" + std::to_string(port)}}, {});
  server->Shutdown();
}

}  // namespace
}  // namespace livnd::bench

int main(int argc, char** argv) {
  if (argc != 2) livnd::bench::Die("usage: echo_server ADDRESS");
  livnd::bench::Serve(argv[1]);
  return 0;
}
