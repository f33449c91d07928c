// What a journal keeps of an answer.
#ifndef LIVND_SERVER_JOURNAL_ANSWER_DIGESTS_H_
#define LIVND_SERVER_JOURNAL_ANSWER_DIGESTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "grpcpp/support/byte_buffer.h"

namespace livnd::server {

// A field of a message as it was sent.
struct FieldDigest {
  int number = 0;       // in the message's declaration
  uint32_t digest = 0;  // the lower half of the XXH3 of its number and bytes
};

// One for each field of the message, a repeated message or string counting each time, in the order in
// which they were sent. Bytes that are no message end it.
std::vector<FieldDigest> DigestFields(absl::string_view message);
std::vector<FieldDigest> DigestFields(const grpc::ByteBuffer& message);

// Of fields[i], "observations[0]"; `type` is that of the message.
std::string NameOf(const std::vector<FieldDigest>& fields, size_t i,
                   const google::protobuf::Descriptor& type);

// The bytes, in one piece.
std::string BytesOfBuffer(const grpc::ByteBuffer& buffer);
grpc::ByteBuffer BufferOfBytes(absl::string_view bytes);

}  // namespace livnd::server

#endif  // LIVND_SERVER_JOURNAL_ANSWER_DIGESTS_H_
