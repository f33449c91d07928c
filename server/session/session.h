// One client's copies of one environment.
#ifndef LIVND_SERVER_SESSION_SESSION_H_
#define LIVND_SERVER_SESSION_SESSION_H_

#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "env/task/vector_environment.h"
#include "grpcpp/support/byte_buffer.h"
#include "livnd/v1/culture_service.pb.h"
#include "livnd/v1/environment_service.pb.h"
#include "server/machine/strand.h"
#include "server/machine/worker_pool.h"
#include "server/session/hosted_environment.h"
#include "server/session/operation_log.h"

namespace livnd::server {

// Owns the copies, the strand on which everything that touches them runs, and the log that makes
// operations exactly-once. Answers are serialized messages: the last operation's is kept, and sent
// again without a copy. Errors are those of the proto's comments, as absl::Status with an
// ErrorInfo.
//
// Post and the accessors are thread-safe. The calls of the protocol must run on the strand.
class Session {
 public:
  // The pool must outlive the session.
  Session(std::string name, std::unique_ptr<HostedEnvironment> environment,
          env::AutoresetMode autoreset, WorkerPool& pool);

  const std::string& name() const { return name_; }
  const env::EnvironmentSpec& spec() const { return spec_; }
  int num_envs() const { return num_envs_; }
  env::AutoresetMode autoreset() const { return autoreset_; }

  void Post(absl::AnyInvocable<void() &&> task) { strand_->Post(std::move(task)); }

  absl::StatusOr<grpc::ByteBuffer> Reset(const v1::ResetRequest& request);
  absl::StatusOr<grpc::ByteBuffer> Step(const v1::StepRequest& request);
  absl::StatusOr<grpc::ByteBuffer> Configure(const v1::ConfigureRequest& request);
  absl::StatusOr<grpc::ByteBuffer> Run(const v1::RunRequest& request);
  absl::StatusOr<grpc::ByteBuffer> Clear(const v1::ClearRequest& request);
  absl::StatusOr<grpc::ByteBuffer> Observe();
  absl::StatusOr<grpc::ByteBuffer> GetCulture(const v1::GetCultureRequest& request);

 private:
  // One numbered operation, exactly once. One that is stopped half way leaves copies that stand
  // nowhere: this and all later calls answer SHUTTING_DOWN.
  template <typename Request, typename Response>
  absl::StatusOr<grpc::ByteBuffer> Operate(
      const Request& request, Response* response,
      absl::Status (HostedEnvironment::*operation)(const Request&, Response*));

  const std::string name_;
  const env::AutoresetMode autoreset_;
  const std::shared_ptr<Strand> strand_;
  const std::unique_ptr<HostedEnvironment> environment_;  // touched on the strand only
  const env::EnvironmentSpec& spec_;                      // the environment's
  const int num_envs_;

  // Touched on the strand only. The messages and buffers are kept for their capacity.
  OperationLog log_;
  bool stopped_ = false;
  std::string payload_;
  v1::ResetResponse reset_response_;
  v1::StepResponse step_response_;
  v1::ObserveResponse observe_response_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SESSION_SESSION_H_
