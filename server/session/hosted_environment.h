// What a session hosts: N copies of one environment, spoken to in the protocol's messages.
#ifndef LIVND_SERVER_SESSION_HOSTED_ENVIRONMENT_H_
#define LIVND_SERVER_SESSION_HOSTED_ENVIRONMENT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "env/spec.h"
#include "livnd/v1/culture_service.pb.h"
#include "livnd/v1/environment_service.pb.h"
#include "server/wire/errors.h"

namespace livnd::server {

// One implementation a kind of environment; the calls of the other kind are refused. Requests come
// without having been looked at, but for session and op_index, which are the session's business;
// responses are filled but for op_index and next_op_index. An error carries an ErrorInfo as the
// proto's comments say, and nothing has changed.
// Cancelled, without an ErrorInfo: the pool's tasks shall give up, and the copies are lost.
//
// Thread-compatible: a session calls it on its strand.
class HostedEnvironment {
 public:
  virtual ~HostedEnvironment() = default;

  virtual const env::EnvironmentSpec& spec() const = 0;
  virtual int num_envs() const = 0;

  // Of environments with a task.
  virtual absl::Status Reset(const v1::ResetRequest&, v1::ResetResponse*) { return NotATask(); }
  virtual absl::Status Step(const v1::StepRequest&, v1::StepResponse*) { return NotATask(); }
  virtual absl::Status Observe(v1::ObserveResponse*) { return NotATask(); }

  // Of cultures.
  virtual absl::Status Configure(const v1::ConfigureRequest&, v1::ConfigureResponse*) {
    return NotACulture();
  }
  virtual absl::Status Run(const v1::RunRequest&, v1::RunResponse*) { return NotACulture(); }
  virtual absl::Status Clear(const v1::ClearRequest&, v1::ClearResponse*) { return NotACulture(); }
  virtual absl::Status GetCulture(const v1::GetCultureRequest&, v1::GetCultureResponse*) {
    return NotACulture();
  }

 private:
  absl::Status Refuse(absl::string_view reason, absl::string_view kind) const {
    return MakeError(
        absl::StatusCode::kFailedPrecondition, reason,
        absl::StrCat("the call is for sessions on ", kind, ", and this one is on ", spec().id),
        {{"value", spec().id}, {"accepted", absl::StrCat("a session on ", kind)}});
  }
  absl::Status NotACulture() const { return Refuse(reason::kNotACulture, "a culture"); }
  absl::Status NotATask() const { return Refuse(reason::kNotATask, "an environment with a task"); }
};

// FAILED_PRECONDITION / NOT_RESET: `accepted` is what must come first.
inline absl::Status NotReset(absl::string_view what, absl::string_view accepted) {
  return MakeError(absl::StatusCode::kFailedPrecondition, reason::kNotReset, what,
                   {{"accepted", std::string(accepted)}});
}

}  // namespace livnd::server

#endif  // LIVND_SERVER_SESSION_HOSTED_ENVIRONMENT_H_
