// Episodes of environments with a task: the messages of environment_service.proto.
//
// Parse* sees to what the wire leaves open (count, dtype, shape, byte length, names) and reports
// INVALID_ARGUMENT / INVALID_FIELD with the field's path. Encode* cannot fail.
#ifndef LIVND_SERVER_WIRE_EPISODE_H_
#define LIVND_SERVER_WIRE_EPISODE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "env/spec.h"
#include "env/task/vector_environment.h"
#include "env/tensor_batch.h"
#include "livnd/v1/environment_service.pb.h"

namespace livnd::server {

// StepRequest.actions of num_envs copies into *actions, which was made of the spec's actions. Bounds
// are env's business: it knows whose action counts.
absl::Status ParseActions(const google::protobuf::RepeatedPtrField<v1::Tensor>& tensors,
                          const env::EnvironmentSpec& spec, int num_envs,
                          env::TensorBatch* actions);

// Everything of a ResetRequest but session and op_index. Seeds of copies outside the mask are
// dropped. Options and whom the mask selects are env's business.
absl::StatusOr<env::ResetRequest> ParseReset(const v1::ResetRequest& request, int num_envs);

// The parts of an Outcome that each answer carries. The message's buffers are used again.
void EncodeReset(const env::Outcome& outcome, const env::EnvironmentSpec& spec, int num_envs,
                 v1::ResetResponse* response);
void EncodeStep(const env::Outcome& outcome, const env::EnvironmentSpec& spec, int num_envs,
                v1::StepResponse* response);
void EncodeObserve(const env::Outcome& outcome, const env::EnvironmentSpec& spec, int num_envs,
                   v1::ObserveResponse* response);

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_EPISODE_H_
