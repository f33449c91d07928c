// The only place where protobuf messages become domain values and the other way round.
//
// Parse* checks everything that the wire leaves open (count, dtype, shape, byte length, NaN,
// bounds, names) and reports INVALID_ARGUMENT / INVALID_FIELD with the field's path; what passes is
// safe to hand to env. Encode* cannot fail. Tensors are little-endian, as are the machines that
// livnd runs on.
#ifndef LIVND_SERVER_WIRE_CONVERT_H_
#define LIVND_SERVER_WIRE_CONVERT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "env/spec.h"
#include "env/task/vector_environment.h"
#include "env/tensor_batch.h"
#include "io/system/system.h"
#include "livnd/v1/environment_service.pb.h"
#include "livnd/v1/tensor.pb.h"

namespace livnd::server {

// --- wire to domain ------------------------------------------------------------------------------

// OK if the tensor has this dtype, exactly this shape, and the bytes that they ask for.
absl::Status CheckTensor(absl::string_view field, const v1::Tensor& tensor, v1::DType dtype,
                         absl::Span<const int64_t> shape);

// StepRequest.actions of num_envs copies into *actions, which was made of the spec's actions. Bounds
// are env's business: it knows whose action counts.
absl::Status ParseActions(const google::protobuf::RepeatedPtrField<v1::Tensor>& tensors,
                          const env::EnvironmentSpec& spec, int num_envs,
                          env::TensorBatch* actions);

// Everything of a ResetRequest but session and op_index. Seeds of copies outside the mask are
// dropped.
absl::StatusOr<env::ResetRequest> ParseReset(const v1::ResetRequest& request,
                                             const env::EnvironmentSpec& spec, int num_envs);

absl::StatusOr<env::AutoresetMode> ParseAutoresetMode(v1::AutoresetMode mode);

// --- domain to wire ------------------------------------------------------------------------------

v1::AutoresetMode EncodeAutoresetMode(env::AutoresetMode mode);
v1::TensorSpec EncodeTensorSpec(const env::TensorSpec& spec);
v1::EnvironmentSpec EncodeEnvironmentSpec(const env::EnvironmentSpec& spec);
v1::System EncodeSystem(const io::System& system);

// The parts of an Outcome that each answer carries. The message's buffers are used again.
void EncodeReset(const env::Outcome& outcome, const env::EnvironmentSpec& spec, int num_envs,
                 v1::ResetResponse* response);
void EncodeStep(const env::Outcome& outcome, const env::EnvironmentSpec& spec, int num_envs,
                v1::StepResponse* response);
void EncodeObserve(const env::Outcome& outcome, const env::EnvironmentSpec& spec, int num_envs,
                   v1::ObserveResponse* response);

// How many copies fit into one message, whose caps are given in bytes: the largest number for which
// no request and no response of a session can be too long. May be 0.
int64_t MaxCopiesPerMessage(const env::EnvironmentSpec& spec, int64_t max_request_bytes,
                            int64_t max_response_bytes);

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_CONVERT_H_
