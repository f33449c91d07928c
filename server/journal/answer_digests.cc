#include "server/journal/answer_digests.h"

#include <xxhash.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "grpcpp/support/slice.h"

namespace livnd::server {

std::vector<FieldDigest> DigestFields(absl::string_view message) {
  using google::protobuf::internal::WireFormatLite;
  google::protobuf::io::CodedInputStream coded(reinterpret_cast<const uint8_t*>(message.data()),
                                               static_cast<int>(message.size()));
  std::vector<FieldDigest> out;
  while (true) {
    const uint32_t tag = coded.ReadTag();
    if (tag == 0) break;
    const int begin = coded.CurrentPosition();
    if (!WireFormatLite::SkipField(&coded, tag)) break;
    const absl::string_view body = message.substr(
        static_cast<size_t>(begin), static_cast<size_t>(coded.CurrentPosition() - begin));
    out.push_back({WireFormatLite::GetTagFieldNumber(tag),
                   static_cast<uint32_t>(XXH3_64bits_withSeed(body.data(), body.size(), tag))});
  }
  return out;
}

std::string NameOf(const std::vector<FieldDigest>& fields, size_t i,
                   const google::protobuf::Descriptor& type) {
  const int number = fields[i].number;
  const google::protobuf::FieldDescriptor* known = type.FindFieldByNumber(number);
  if (known == nullptr) return absl::StrCat("field ", number);
  if (!known->is_repeated()) return known->name();
  const auto before = std::count_if(fields.begin(), fields.begin() + static_cast<ptrdiff_t>(i),
                                    [&](const FieldDigest& f) { return f.number == number; });
  return absl::StrCat(known->name(), "[", before, "]");
}

std::vector<FieldDigest> DigestFields(const grpc::ByteBuffer& message) {
  grpc::Slice slice;
  if (!message.TrySingleSlice(&slice).ok()) return DigestFields(BytesOfBuffer(message));
  return DigestFields(
      absl::string_view(reinterpret_cast<const char*>(slice.begin()), slice.size()));
}

std::string BytesOfBuffer(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string out;
  if (!buffer.Valid() || !buffer.Dump(&slices).ok()) return out;
  out.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices) {
    out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return out;
}

grpc::ByteBuffer BufferOfBytes(absl::string_view bytes) {
  const grpc::Slice slice(bytes.data(), bytes.size());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace livnd::server
