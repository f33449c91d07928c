#include "server/wire/memory_needs.h"

#include <utility>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "server/wire/errors.h"

namespace livnd::server {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using WireFormat = google::protobuf::internal::WireFormatLite;

// What parts of a message take beside their bytes, each with its place in a list that grows by
// doubling: a message or an entry of a map, a string, a number that stands for itself.
constexpr int64_t kMessageBytes = 256;
constexpr int64_t kStringBytes = 64;
constexpr int64_t kNumberBytes = 32;
// A packed number may come in one byte, and takes eight.
constexpr int64_t kPackedFactor = 16;
// So many bytes are no matter, whatever they hold.
constexpr int64_t kSmall = 1 << 10;
constexpr int64_t kWorstFactor = kMessageBytes / 2;
// Protobuf's own limit of nesting.
constexpr int kMaxDepth = 100;

// Adds up a message; stops where the parser would.
bool AddUp(google::protobuf::io::CodedInputStream& in, const Descriptor* type, int depth,
           int64_t& bytes) {
  if (depth > kMaxDepth) return false;
  while (const uint32_t tag = in.ReadTag()) {
    const FieldDescriptor* field =
        type == nullptr ? nullptr : type->FindFieldByNumber(WireFormat::GetTagFieldNumber(tag));
    if (WireFormat::GetTagWireType(tag) != WireFormat::WIRETYPE_LENGTH_DELIMITED) {
      bytes += kNumberBytes;
      if (!WireFormat::SkipField(&in, tag)) return false;
      continue;
    }
    uint32_t length = 0;
    if (!in.ReadVarint32(&length)) return false;
    if (field != nullptr && field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      bytes += kMessageBytes;
      const auto limit = in.PushLimit(static_cast<int>(length));
      if (!AddUp(in, field->message_type(), depth + 1, bytes)) return false;
      in.PopLimit(limit);
      continue;
    }
    const bool packed = field != nullptr && field->cpp_type() != FieldDescriptor::CPPTYPE_STRING;
    bytes += kStringBytes + (packed ? kPackedFactor : 1) * int64_t{length};
    if (!in.Skip(static_cast<int>(length))) return false;
  }
  return in.ConsumedEntireMessage();
}

}  // namespace

int64_t ParsedBytesAtMost(const grpc::ByteBuffer& bytes, const Descriptor& type) {
  const auto length = static_cast<int64_t>(bytes.Length());
  if (length <= kSmall) return kSmall + kWorstFactor * length;
  grpc::ByteBuffer shared = bytes;
  grpc::ProtoBufferReader reader(&shared);
  google::protobuf::io::CodedInputStream in(&reader);
  int64_t parsed = kMessageBytes;
  AddUp(in, &type, 0, parsed);
  // A long string grows by doubling while it is read.
  return 2 * parsed;
}

absl::Status NoMemoryFor(const MemoryBudget& budget, MemoryUse use, int64_t bytes,
                         absl::string_view what) {
  const int64_t room = budget.RoomFor(use, bytes);
  const bool may_retry = bytes >= 0 && bytes <= room + budget.passing();
  return OutOfMemory(what, bytes, room, may_retry);
}

absl::StatusOr<MemoryBudget::Reservation> ReserveMemory(MemoryBudget& budget, MemoryUse use,
                                                        int64_t bytes, absl::string_view what) {
  std::optional<MemoryBudget::Reservation> reserved = budget.TryReserve(use, bytes);
  if (reserved.has_value()) return *std::move(reserved);
  return NoMemoryFor(budget, use, bytes, what);
}

}  // namespace livnd::server
