#include "server/session/session.h"

#include <utility>

#include "base/status_macros.h"
#include "server/wire/errors.h"
#include "server/wire/message_bytes.h"

namespace livnd::server {

Session::Session(std::string name, std::unique_ptr<HostedEnvironment> environment,
                 env::AutoresetMode autoreset, WorkerPool& pool)
    : name_(std::move(name)),
      autoreset_(autoreset),
      strand_(Strand::Create(pool)),
      environment_(std::move(environment)),
      spec_(environment_->spec()),
      num_envs_(environment_->num_envs()) {}

template <typename Request, typename Response>
absl::StatusOr<grpc::ByteBuffer> Session::Operate(
    const Request& request, Response* response,
    absl::Status (HostedEnvironment::*operation)(const Request&, Response*)) {
  if (stopped_) return ShuttingDown();
  CanonicalBytes(request, &payload_);
  LIVND_ASSIGN_OR_RETURN(const OperationLog::Verdict verdict,
                         log_.Admit(request.op_index(), payload_));
  if (verdict == OperationLog::Verdict::kRun) {
    const absl::Status done = ((*environment_).*operation)(request, response);
    stopped_ = done.code() == absl::StatusCode::kCancelled;
    if (stopped_) return ShuttingDown();
    LIVND_RETURN_IF_ERROR(done);
    response->set_op_index(request.op_index());
    log_.Commit(payload_, SerializeMessage(*response));
  }
  return log_.answer();
}

absl::StatusOr<grpc::ByteBuffer> Session::Reset(const v1::ResetRequest& request) {
  return Operate(request, &reset_response_, &HostedEnvironment::Reset);
}

absl::StatusOr<grpc::ByteBuffer> Session::Step(const v1::StepRequest& request) {
  return Operate(request, &step_response_, &HostedEnvironment::Step);
}

absl::StatusOr<grpc::ByteBuffer> Session::Configure(const v1::ConfigureRequest& request) {
  v1::ConfigureResponse response;
  return Operate(request, &response, &HostedEnvironment::Configure);
}

absl::StatusOr<grpc::ByteBuffer> Session::Run(const v1::RunRequest& request) {
  v1::RunResponse response;  // recordings are large; none is kept beside its answer
  return Operate(request, &response, &HostedEnvironment::Run);
}

absl::StatusOr<grpc::ByteBuffer> Session::Clear(const v1::ClearRequest& request) {
  v1::ClearResponse response;
  return Operate(request, &response, &HostedEnvironment::Clear);
}

absl::StatusOr<grpc::ByteBuffer> Session::Observe() {
  if (stopped_) return ShuttingDown();
  LIVND_RETURN_IF_ERROR(environment_->Observe(&observe_response_));
  observe_response_.set_next_op_index(log_.next());
  return SerializeMessage(observe_response_);
}

absl::StatusOr<grpc::ByteBuffer> Session::GetCulture(const v1::GetCultureRequest& request) {
  if (stopped_) return ShuttingDown();
  v1::GetCultureResponse response;
  LIVND_RETURN_IF_ERROR(environment_->GetCulture(request, &response));
  response.set_next_op_index(log_.next());
  return SerializeMessage(response);
}

}  // namespace livnd::server
