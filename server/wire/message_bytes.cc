#include "server/wire/message_bytes.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "server/wire/errors.h"

namespace livnd::server {

absl::Status ParseMessage(const grpc::ByteBuffer& bytes, google::protobuf::Message* message) {
  grpc::ByteBuffer copy = bytes;  // shares the bytes; deserializing empties the buffer it is given
  const grpc::Status status =
      grpc::SerializationTraits<google::protobuf::Message>::Deserialize(&copy, message);
  if (status.ok()) return absl::OkStatus();
  const std::string& type = message->GetDescriptor()->full_name();
  return MakeError(
      absl::StatusCode::kInvalidArgument, reason::kMalformedMessage,
      absl::StrCat("the request is not a ", type, ", or one of its strings is not valid UTF-8"),
      {{"accepted", type}});
}

grpc::ByteBuffer SerializeMessage(const google::protobuf::Message& message) {
  grpc::ByteBuffer bytes;
  bool own_buffer = false;
  // Cannot fail: every message is far below protobuf's own limit of 2 GiB.
  grpc::SerializationTraits<google::protobuf::Message>::Serialize(message, &bytes, &own_buffer);
  return bytes;
}

void CanonicalBytes(const google::protobuf::Message& message, std::string* out) {
  out->assign(message.GetDescriptor()->full_name());
  out->push_back('\0');
  google::protobuf::io::StringOutputStream stream(out);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
}

}  // namespace livnd::server
