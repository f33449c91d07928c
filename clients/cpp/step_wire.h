// One gRPC stream of steps. Not for users of the library.
#ifndef LIVND_CLIENTS_CPP_STEP_WIRE_H_
#define LIVND_CLIENTS_CPP_STEP_WIRE_H_

#include <chrono>
#include <deque>
#include <memory>
#include <string>

#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/support/async_stream.h"
#include "grpcpp/support/status.h"
#include "livnd/v1/environment_service.grpc.pb.h"

namespace livnd::client::internal {

// Has no thread of its own: what comes is looked at, and what waits is sent, while somebody waits in
// Await or comes by with Send. So neither side ever waits for the other to read.
//
// Thread-compatible.
class StepWire {
 public:
  StepWire() = default;
  // Drops what is on its way.
  ~StepWire();
  StepWire(const StepWire&) = delete;
  StepWire& operator=(const StepWire&) = delete;

  // To be filled in before Open.
  grpc::ClientContext* context() { return &context_; }
  // With which token it was opened.
  std::string token;

  // Of what becomes of this Await tells.
  void Open(v1::EnvironmentService::Stub& stub);
  // As soon as what was sent before is on its way; at once, as a rule.
  void Send(const v1::StepStreamRequest& message);

  enum class Event { kAnswer, kEnd, kTimeout };
  // The next thing that comes, until then.
  Event Await(std::chrono::steady_clock::time_point until);
  // After kAnswer, until the next call.
  const v1::StepStreamResponse& answer() const { return answer_; }
  // After kEnd.
  const grpc::Status& status() const { return status_; }

 private:
  // Deals with one event of the queue; false if there was none until then.
  bool Pump(std::chrono::steady_clock::time_point until);
  void WriteNext();
  void Finish();

  grpc::CompletionQueue queue_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<v1::StepStreamRequest, v1::StepStreamResponse>>
      stream_;
  std::deque<v1::StepStreamRequest> unsent_;
  v1::StepStreamResponse answer_;
  grpc::Status status_;
  // What gRPC does just now.
  bool starting_ = false;
  bool writing_ = false;
  bool reading_ = false;
  bool finishing_ = false;

  bool has_answer_ = false;
  bool has_ended_ = false;
};

}  // namespace livnd::client::internal

#endif  // LIVND_CLIENTS_CPP_STEP_WIRE_H_
