// What environments take and give, as messages.
#ifndef LIVND_SERVER_WIRE_SPEC_H_
#define LIVND_SERVER_WIRE_SPEC_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "env/spec.h"
#include "env/task/vector_environment.h"
#include "livnd/v1/environment.pb.h"

namespace livnd::server {

v1::EnvironmentSpec EncodeEnvironmentSpec(const env::EnvironmentSpec& spec);

// INVALID_FIELD "autoreset_mode".
absl::StatusOr<env::AutoresetMode> ParseAutoresetMode(v1::AutoresetMode mode);
v1::AutoresetMode EncodeAutoresetMode(env::AutoresetMode mode);

// Bytes of one copy in the longest answer of a Reset or Step.
int64_t BytesShown(const env::EnvironmentSpec& spec, env::AutoresetMode autoreset);

// How many copies fit into one message, whose caps are given in bytes: the largest number for which
// no request and no response of a session of that mode can be too long. May be 0.
int64_t MaxCopiesPerMessage(const env::EnvironmentSpec& spec, env::AutoresetMode autoreset,
                            int64_t max_request_bytes, int64_t max_response_bytes);

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_SPEC_H_
