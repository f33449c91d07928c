// Messages as bytes: parsing, serializing, and one canonical form to compare them by.
#ifndef LIVND_SERVER_WIRE_MESSAGE_BYTES_H_
#define LIVND_SERVER_WIRE_MESSAGE_BYTES_H_

#include <string>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "grpcpp/support/byte_buffer.h"

namespace livnd::server {

// INVALID_ARGUMENT / MALFORMED_MESSAGE if the bytes are no such message, or if a string in it is
// not UTF-8. `bytes` is left untouched.
absl::Status ParseMessage(const grpc::ByteBuffer& bytes, google::protobuf::Message* message);

grpc::ByteBuffer SerializeMessage(const google::protobuf::Message& message);

// The message's type and content in a form that is equal for equal messages (maps sorted by key).
// Overwrites *out, whose capacity is kept.
void CanonicalBytes(const google::protobuf::Message& message, std::string* out);

}  // namespace livnd::server

#endif  // LIVND_SERVER_WIRE_MESSAGE_BYTES_H_
