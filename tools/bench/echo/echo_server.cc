// Serves EchoService at the address of its argument ("unix:PATH") until standard input ends.
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "echo/echo.grpc.pb.h"
#include "tools/bench/worker.h"

namespace livnd::bench {
namespace {

class EchoService final : public echo::EchoService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context,
                                 const echo::EchoRequest* request,
                                 echo::EchoResponse* response) override {
    response->mutable_payload()->assign(request->response_bytes(), '\1');
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

void Serve(const std::string& address) {
  EchoService service;
  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(-1);
  builder.SetMaxSendMessageSize(-1);
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) Die("cannot serve at " + address);
  ServeCommands({{"address", address}}, {});
  server->Shutdown();
}

}  // namespace
}  // namespace livnd::bench

int main(int argc, char** argv) {
  if (argc != 2) livnd::bench::Die("usage: echo_server ADDRESS");
  livnd::bench::Serve(argv[1]);
  return 0;
}
