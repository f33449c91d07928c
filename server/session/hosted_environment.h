// What a session hosts: N copies of one environment, spoken to in the protocol's messages.
#ifndef LIVND_SERVER_SESSION_HOSTED_ENVIRONMENT_H_
#define LIVND_SERVER_SESSION_HOSTED_ENVIRONMENT_H_

#include "absl/status/status.h"
#include "env/spec.h"
#include "livnd/v1/culture.pb.h"
#include "livnd/v1/environment_service.pb.h"
#include "server/wire/errors.h"

namespace livnd::server {

// One implementation a kind of environment. Requests come without having been looked at, but for
// session and op_index, which are the session's business; responses are filled but for op_index and
// next_op_index. An error carries an ErrorInfo as the proto's comments say, and nothing has changed.
// Cancelled, without an ErrorInfo: the pool's tasks shall give up, and the copies are lost.
//
// Thread-compatible: a session calls it on its strand.
class HostedEnvironment {
 public:
  virtual ~HostedEnvironment() = default;

  virtual const env::EnvironmentSpec& spec() const = 0;
  virtual int num_envs() const = 0;

  virtual absl::Status Reset(const v1::ResetRequest& request, v1::ResetResponse* response) = 0;
  virtual absl::Status Step(const v1::StepRequest& request, v1::StepResponse* response) = 0;
  virtual absl::Status Observe(v1::ObserveResponse* response) = 0;

  // Of cultures only.
  virtual absl::Status Configure(const v1::ConfigureRequest&, v1::ConfigureResponse*) {
    return NotACulture();
  }
  virtual absl::Status GetCulture(const v1::GetCultureRequest&, v1::GetCultureResponse*) {
    return NotACulture();
  }

 private:
  absl::Status NotACulture() const {
    return MakeError(absl::StatusCode::kFailedPrecondition, reason::kNotACulture,
                     "the call is for sessions on a culture, and this one is on " + spec().id,
                     {{"value", spec().id}, {"accepted", "a session on a Culture environment"}});
  }
};

// FAILED_PRECONDITION / NOT_RESET.
inline absl::Status NotReset(absl::string_view what) {
  return MakeError(absl::StatusCode::kFailedPrecondition, reason::kNotReset, what,
                   {{"accepted", "Reset of every copy"}});
}

}  // namespace livnd::server

#endif  // LIVND_SERVER_SESSION_HOSTED_ENVIRONMENT_H_
