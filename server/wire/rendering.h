// What cultures were given in a step and how they fired, for pictures of them: Render's answer.
#ifndef LIVND_SERVER_WIRE_RENDERING_H_
#define LIVND_SERVER_WIRE_RENDERING_H_

#include <cstdint>

#include "absl/types/span.h"
#include "env/task/vector_environment.h"
#include "livnd/v1/environment_service.pb.h"

namespace livnd::server {

// Bytes that an answer about these copies takes at most while it is made and written.
int64_t RenderingBytes(absl::Span<const env::StepActivity> copies);

// All of RenderResponse but next_op_index. tick_ms is the culture's.
void EncodeRendering(absl::Span<const env::StepActivity> copies, double tick_ms,
                     v1::RenderResponse* response);

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_RENDERING_H_
