#include "server/session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/convert.h"
#include "server/errors.h"
#include "server/status_macros.h"
#include "server/wire.h"

namespace livnd::server {
namespace {

absl::Status NotReset(absl::string_view what) {
  return MakeError(absl::StatusCode::kFailedPrecondition, reason::kNotReset, what,
                   {{"accepted", "Reset of every copy"}});
}

}  // namespace

Session::Session(std::string name, std::unique_ptr<env::VectorEnvironment> environment,
                 env::AutoresetMode autoreset, WorkerPool& pool)
    : name_(std::move(name)),
      autoreset_(autoreset),
      strand_(Strand::Create(pool)),
      environment_(std::move(environment)),
      spec_(environment_->spec()),
      num_envs_(environment_->num_envs()) {}

absl::StatusOr<grpc::ByteBuffer> Session::Reset(const v1::ResetRequest& request) {
  CanonicalBytes(request, &payload_);
  LIVND_SERVER_ASSIGN_OR_RETURN(const OperationLog::Verdict verdict,
                                log_.Admit(request.op_index(), payload_));
  if (verdict == OperationLog::Verdict::kRun) {
    LIVND_SERVER_RETURN_IF_ERROR(RunReset(request));
    reset_response_.set_op_index(request.op_index());
    EncodeReset(environment_->outcome(), spec(), num_envs(), &reset_response_);
    log_.Commit(payload_, SerializeMessage(reset_response_));
  }
  return log_.answer();
}

absl::Status Session::RunReset(const v1::ResetRequest& request) {
  LIVND_SERVER_ASSIGN_OR_RETURN(const env::ResetRequest reset,
                                ParseReset(request, spec(), num_envs()));
  if (!environment_->was_reset()) {
    const auto left_out = std::find(reset.mask.begin(), reset.mask.end(), 0);
    if (left_out != reset.mask.end()) {
      return NotReset(absl::StrCat("the first Reset must select every copy; its mask leaves out ",
                                   "copy ", left_out - reset.mask.begin()));
    }
  }
  return environment_->Reset(reset);
}

absl::StatusOr<grpc::ByteBuffer> Session::Step(const v1::StepRequest& request) {
  CanonicalBytes(request, &payload_);
  LIVND_SERVER_ASSIGN_OR_RETURN(const OperationLog::Verdict verdict,
                                log_.Admit(request.op_index(), payload_));
  if (verdict == OperationLog::Verdict::kRun) {
    LIVND_SERVER_RETURN_IF_ERROR(RunStep(request));
    step_response_.set_op_index(request.op_index());
    EncodeStep(environment_->outcome(), spec(), num_envs(), &step_response_);
    log_.Commit(payload_, SerializeMessage(step_response_));
  }
  return log_.answer();
}

absl::Status Session::RunStep(const v1::StepRequest& request) {
  LIVND_SERVER_RETURN_IF_ERROR(ParseActions(request.actions(), spec(), num_envs(), &actions_));
  if (!environment_->was_reset()) {
    return NotReset("the session was never Reset; Reset comes before the first Step");
  }
  if (const int ended = environment_->first_ended(); ended >= 0) {
    return MakeError(
        absl::StatusCode::kFailedPrecondition, reason::kEpisodeEnded,
        absl::StrCat("the episode of copy ", ended, " has ended; Reset it before the next Step"),
        {{"value", absl::StrCat("copy ", ended)},
         {"accepted", "Reset of the copies whose episode has ended"}});
  }
  return environment_->Step(actions_);
}

absl::StatusOr<grpc::ByteBuffer> Session::Observe() {
  if (!environment_->was_reset()) {
    return NotReset("the session was never Reset; there is nothing to observe");
  }
  EncodeObserve(environment_->outcome(), spec(), num_envs(), &observe_response_);
  observe_response_.set_next_op_index(log_.next());
  return SerializeMessage(observe_response_);
}

}  // namespace livnd::server
