#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "base/status_macros.h"
#include "io/recording/hdf5/bytes.h"
#include "io/recording/hdf5/checksum.h"
#include "io/recording/hdf5/message_types.h"
#include "io/recording/hdf5/metadata.h"

namespace livnd::io::hdf5 {
namespace {

constexpr int kChecksumBytes = 4;

absl::Status Damaged(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("the ", what, " is damaged, or not of a recording"));
}

// Whether the last four bytes are the checksum of those before.
bool IsSealed(absl::string_view bytes) {
  if (bytes.size() < kChecksumBytes) return false;
  const size_t length = bytes.size() - kChecksumBytes;
  return ByteReader(bytes.substr(length)).Number(4) == Lookup3(bytes.substr(0, length));
}

absl::optional<ElementType> FindElementType(ByteReader& in) {
  for (const ElementType type :
       {ElementType::kUint8, ElementType::kInt32, ElementType::kInt64, ElementType::kUint64,
        ElementType::kFloat32, ElementType::kFloat64}) {
    const std::string encoded = EncodeElementType(type);
    if (in.rest().substr(0, encoded.size()) == encoded) {
      in.Take(encoded.size());
      return type;
    }
  }
  return absl::nullopt;
}

bool DecodeColumn(ByteReader& in, int offset_bytes, uint64_t offset, Column* column) {
  column->name = std::string(in.Name());
  in.Expect(offset, offset_bytes);
  if (!in.rest().empty() && (in.rest()[0] & 0xf) == 10) {
    in.Take(4);
    in.Number(4);
    in.Expect(1, 1);
    column->length = static_cast<int64_t>(in.Number(4));
  }
  const absl::optional<ElementType> type = FindElementType(in);
  if (!type.has_value() || column->length < 1) return false;
  column->type = *type;
  return in.ok();
}

bool DecodeCompound(absl::string_view message, std::vector<Column>* columns, int64_t* row_bytes) {
  ByteReader in(message);
  in.Expect(3 << 4 | 6, 1);
  const uint64_t num_columns = in.Number(3);
  *row_bytes = static_cast<int64_t>(in.Number(4));
  int offset_bytes = 1;
  while (*row_bytes >> (8 * offset_bytes) != 0) ++offset_bytes;
  if (num_columns < 1 || num_columns > kMaxColumns || *row_bytes > kMaxRowBytes) return false;
  int64_t offset = 0;
  for (uint64_t i = 0; i < num_columns; ++i) {
    Column column;
    if (!DecodeColumn(in, offset_bytes, offset, &column)) return false;
    if (column.length > kMaxRowBytes) return false;
    offset += column.length * ElementBytes(column.type);
    if (offset > *row_bytes) return false;
    columns->push_back(std::move(column));
  }
  return in.ok() && in.done() && offset == *row_bytes;
}

std::string Unpadded(absl::string_view text) {
  while (!text.empty() && text.back() == '\0') text.remove_suffix(1);
  return std::string(text);
}

bool DecodeAttribute(absl::string_view message, Attributes* attributes) {
  ByteReader in(message);
  in.Expect(3, 1);
  in.Expect(0, 1);
  const uint64_t name_bytes = in.Number(2), type_bytes = in.Number(2), space_bytes = in.Number(2);
  in.Expect(0, 1);
  ByteReader name_reader(in.Take(name_bytes));
  const std::string name(name_reader.Name());
  ByteReader type(in.Take(type_bytes));
  ByteReader space(in.Take(space_bytes));
  space.Expect(2, 1);
  const uint64_t num_dimensions = space.Number(1);
  space.Expect(0, 1);
  space.Expect(num_dimensions == 0 ? 0 : 1, 1);
  const uint64_t size = num_dimensions == 0 ? 1 : space.Number(8);
  if (!name_reader.ok() || !name_reader.done() || num_dimensions > 1 || !space.ok() ||
      !space.done() || !in.ok()) {
    return false;
  }
  Attribute& value = (*attributes)[name];
  const absl::optional<ElementType> number = FindElementType(type);
  if (number.has_value()) {
    const absl::string_view data = in.Take(8);
    if (!in.ok() || !in.done() || num_dimensions != 0) return false;
    if (*number == ElementType::kInt64) {
      value = ValueAt<int64_t>(data.data(), 0);
    } else if (*number == ElementType::kFloat64) {
      value = ValueAt<double>(data.data(), 0);
    } else {
      return false;
    }
    return true;
  }
  type.Expect(1 << 4 | 3, 1);
  type.Expect(1 | 1 << 4, 3);
  const uint64_t text_bytes = type.Number(4);
  if (!type.ok() || !type.done() || size > in.rest().size()) return false;
  std::vector<std::string> texts;
  for (uint64_t i = 0; i < size && in.ok(); ++i) texts.push_back(Unpadded(in.Take(text_bytes)));
  if (!in.ok() || !in.done()) return false;
  if (num_dimensions == 0) {
    value = texts[0];
  } else {
    value = std::move(texts);
  }
  return true;
}

struct RawMessage {
  int type;
  absl::string_view bytes;
};

absl::StatusOr<std::vector<RawMessage>> DecodeHeader(absl::string_view bytes) {
  LIVND_ASSIGN_OR_RETURN(const uint64_t num_bytes, HeaderBytes(bytes));
  if (bytes.size() != num_bytes || !IsSealed(bytes)) return Damaged("object header");
  bytes.remove_prefix(kHeaderPrefixBytes);
  bytes.remove_suffix(kChecksumBytes);
  ByteReader in(bytes);
  std::vector<RawMessage> messages;
  while (in.ok() && !in.done()) {
    const int type = static_cast<int>(in.Number(1));
    const uint64_t message_bytes = in.Number(2);
    in.Expect(0, 1);
    messages.push_back({type, in.Take(message_bytes)});
  }
  if (!in.ok()) return Damaged("object header");
  return messages;
}

bool DecodeFilters(absl::string_view message, int64_t row_bytes, bool* compressed) {
  ByteReader in(message);
  in.Expect(2, 1);
  const uint64_t num_filters = in.Number(1);
  *compressed = num_filters == 3;
  if (*compressed) {
    in.Expect(kShuffle, 2);
    in.Expect(1, 2);
    in.Expect(1, 2);
    in.Expect(row_bytes, 4);
    in.Expect(kDeflate, 2);
    in.Expect(1, 2);
    in.Expect(1, 2);
    in.Number(4);
  }
  in.Expect(kFletcher32, 2);
  in.Expect(0, 4);
  return in.ok() && in.done() && (num_filters == 1 || num_filters == 3);
}

bool DecodeLayout(absl::string_view message, int64_t row_bytes, Dataset* dataset) {
  ByteReader in(message);
  for (const int byte : {3, 2, 2}) in.Expect(byte, 1);
  dataset->tree_address = in.Number(8);
  dataset->chunk_rows = static_cast<int64_t>(in.Number(4));
  in.Expect(row_bytes, 4);
  return in.ok() && in.done() && dataset->chunk_rows >= 1;
}

bool DecodeGrowingSpace(absl::string_view message, int64_t* num_rows) {
  ByteReader in(message);
  for (const int byte : {2, 1, 1, 1}) in.Expect(byte, 1);
  *num_rows = static_cast<int64_t>(in.Number(8));
  in.Expect(UINT64_MAX, 8);
  return in.ok() && in.done() && *num_rows >= 0;
}

}  // namespace

absl::StatusOr<Superblock> DecodeSuperblock(absl::string_view bytes) {
  if (bytes.substr(0, kSignature.size()) != kSignature) {
    return absl::DataLossError("is not an HDF5 file");
  }
  if (bytes.size() < kSuperblockBytes || !IsSealed(bytes.substr(0, kSuperblockBytes))) {
    return Damaged("superblock");
  }
  ByteReader in(bytes);
  in.Take(kSignature.size());
  for (const int byte : {2, 8, 8, 0}) in.Expect(byte, 1);
  in.Expect(0, 8);
  in.Expect(kNowhere, 8);
  Superblock superblock;
  superblock.end = in.Number(8);
  superblock.root_address = in.Number(8);
  if (!in.ok()) return Damaged("superblock");
  return superblock;
}

absl::StatusOr<uint64_t> HeaderBytes(absl::string_view prefix) {
  ByteReader in(prefix);
  in.Expect(kHeaderSignature);
  in.Expect(2, 1);
  in.Expect(2, 1);
  const uint64_t num_bytes = kHeaderPrefixBytes + in.Number(4) + kChecksumBytes;
  if (!in.ok() || num_bytes > kMaxHeaderBytes) return Damaged("object header");
  return num_bytes;
}

absl::StatusOr<Group> DecodeGroup(absl::string_view bytes) {
  LIVND_ASSIGN_OR_RETURN(const std::vector<RawMessage> messages, DecodeHeader(bytes));
  Group group;
  for (const RawMessage& message : messages) {
    ByteReader in(message.bytes);
    if (message.type == kLink) {
      in.Expect(1, 1);
      in.Expect(0, 1);
      Link link;
      link.name = std::string(in.Take(in.Number(1)));
      link.address = in.Number(8);
      if (!in.ok() || !in.done()) return Damaged("root group");
      group.links.push_back(std::move(link));
    } else if (message.type == kAttribute) {
      if (!DecodeAttribute(message.bytes, &group.attributes)) return Damaged("root group");
    } else if (message.type != kLinkInfo && message.type != kGroupInfo) {
      return Damaged("root group");
    }
  }
  return group;
}

absl::StatusOr<Dataset> DecodeDataset(absl::string_view bytes) {
  LIVND_ASSIGN_OR_RETURN(const std::vector<RawMessage> messages, DecodeHeader(bytes));
  Dataset dataset;
  int64_t row_bytes = 0;
  const int order[] = {kDataspace, kDatatype, kFillValue, kLayout, kFilters};
  constexpr size_t kNumFixed = sizeof(order) / sizeof(order[0]);
  bool good = messages.size() > kNumFixed;
  for (size_t i = 0; i < messages.size() && good; ++i) {
    const RawMessage& message = messages[i];
    good = message.type == (i < kNumFixed ? order[i] : kAttribute);
    if (!good) break;
    if (message.type == kDataspace) {
      good = DecodeGrowingSpace(message.bytes, &dataset.num_rows);
    } else if (message.type == kDatatype) {
      good = DecodeCompound(message.bytes, &dataset.columns, &row_bytes);
    } else if (message.type == kLayout) {
      good = DecodeLayout(message.bytes, row_bytes, &dataset);
    } else if (message.type == kFilters) {
      good = DecodeFilters(message.bytes, row_bytes, &dataset.compressed);
    } else if (message.type == kAttribute) {
      good = DecodeAttribute(message.bytes, &dataset.attributes);
    }
  }
  const auto units = dataset.attributes.find(std::string(kUnits));
  if (!good || units == dataset.attributes.end()) return Damaged("header of a data set");
  const auto* names = std::get_if<std::vector<std::string>>(&units->second);
  if (names == nullptr || names->size() != dataset.columns.size()) {
    return Damaged("header of a data set");
  }
  for (size_t i = 0; i < names->size(); ++i) dataset.columns[i].unit = (*names)[i];
  dataset.attributes.erase(units);
  return dataset;
}

absl::StatusOr<Node> DecodeNode(absl::string_view bytes) {
  ByteReader in(bytes);
  in.Expect(kNodeSignature);
  in.Expect(1, 1);
  Node node;
  node.level = static_cast<int>(in.Number(1));
  const uint64_t num_entries = in.Number(2);
  node.left = in.Number(8);
  node.right = in.Number(8);
  if (!in.ok() || num_entries < 1 || num_entries > kMaxEntries) return Damaged("tree of chunks");
  for (uint64_t i = 0; i < num_entries; ++i) {
    Node::Entry entry;
    entry.stored_bytes = in.Number(4);
    in.Expect(0, 4);
    entry.first_row = in.Number(8);
    in.Expect(0, 8);
    entry.address = in.Number(8);
    node.entries.push_back(entry);
  }
  if (!in.ok()) return Damaged("tree of chunks");
  return node;
}

}  // namespace livnd::io::hdf5
