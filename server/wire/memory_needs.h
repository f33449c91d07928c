// What messages and calls need of the server's memory, and how a call is told that there is not so much.
#ifndef LIVND_SERVER_WIRE_MEMORY_NEEDS_H_
#define LIVND_SERVER_WIRE_MEMORY_NEEDS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "grpcpp/support/byte_buffer.h"
#include "server/machine/memory_budget.h"

namespace livnd::server {

// No less than a message takes while it is parsed and afterwards, from its bytes alone: a message of
// two bytes within another takes a hundred. Reads the bytes once, but for those of strings and tensors.
int64_t ParsedBytesAtMost(const grpc::ByteBuffer& bytes, const google::protobuf::Descriptor& type);

// OUT_OF_MEMORY, which says what would need it; with RetryInfo where there is room once the calls that
// run have been answered.
absl::StatusOr<MemoryBudget::Reservation> ReserveMemory(MemoryBudget& budget, MemoryUse use,
                                                        int64_t bytes, absl::string_view what);
// The same error, of what a reservation could not be resized to.
absl::Status NoMemoryFor(const MemoryBudget& budget, MemoryUse use, int64_t bytes,
                         absl::string_view what);

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_MEMORY_NEEDS_H_
