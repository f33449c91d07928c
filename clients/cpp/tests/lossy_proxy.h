// A server between a client and a real server that loses what a test tells it to lose.
#ifndef LIVND_CLIENTS_CPP_TESTS_LOSSY_PROXY_H_
#define LIVND_CLIENTS_CPP_TESTS_LOSSY_PROXY_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/server.h"

namespace livnd::client {

// What becomes of one call.
struct Fate {
  bool reaches_server = true;
  // What the client gets in place of the answer; OK: the answer.
  grpc::Status status;
  // How long the client waits for it.
  std::chrono::milliseconds delay{0};

  static Fate Answered() { return {}; }
  static Fate RequestLost() { return {false, {grpc::StatusCode::UNAVAILABLE, "lost"}}; }
  static Fate AnswerLost() { return {true, {grpc::StatusCode::UNAVAILABLE, "lost"}}; }
  // Refused by the server with a reason (google.rpc.ErrorInfo), before it does anything.
  static Fate Refused(grpc::StatusCode code, const std::string& reason);
};

// Carries calls of all methods, one at a time. Reset, Step, Run and their like meet the fates that
// Meet has set, one each; all other calls, and those for which no fate is left, are answered.
class LossyProxy {
 public:
  // Listens on a socket at `path`, which may have any characters.
  LossyProxy(const std::string& path, const std::string& server_address);
  ~LossyProxy();

  std::string address() const { return "unix:" + path_; }
  // The next operation meets this fate, or the one after those that are set already.
  void Meet(Fate fate);
  // Fates that no operation has met, which are forgotten by this.
  size_t TakeFates();
  // Operations that have come from the client, repeats included.
  int64_t num_operations() const;

 private:
  void Serve();
  grpc::Status Forward(const std::string& method, const grpc::ByteBuffer& request,
                       grpc::ByteBuffer* response);

  const std::string path_;
  grpc::GenericStub upstream_;
  grpc::AsyncGenericService service_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::unique_ptr<grpc::Server> server_;
  mutable std::mutex mu_;
  std::deque<Fate> fates_;
  int64_t num_operations_ = 0;
  bool ending_ = false;
  std::thread thread_;  // the last: uses all the others
};

}  // namespace livnd::client

#endif  // LIVND_CLIENTS_CPP_TESTS_LOSSY_PROXY_H_
