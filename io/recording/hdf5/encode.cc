#include <algorithm>
#include <cstddef>
#include <cstring>

#include "io/recording/hdf5/bytes.h"
#include "io/recording/hdf5/checksum.h"
#include "io/recording/hdf5/message_types.h"
#include "io/recording/hdf5/metadata.h"

namespace livnd::io::hdf5 {
namespace {

// Class and version of a datatype, its bit field, and the size of an element.
std::string DatatypeHead(int datatype_class, int version, uint64_t bits, uint64_t num_bytes) {
  std::string out;
  Put(version << 4 | datatype_class, 1, &out);
  Put(bits, 3, &out);
  Put(num_bytes, 4, &out);
  return out;
}

std::string EncodeInteger(int num_bytes, bool is_signed) {
  std::string out = DatatypeHead(0, 1, is_signed ? 8 : 0, num_bytes);
  Put(0, 2, &out);
  Put(8 * num_bytes, 2, &out);
  return out;
}

// IEEE 754: mantissa from bit 0 with a hidden first bit, then the exponent, then the sign.
std::string EncodeReal(int num_bytes, int mantissa_bits, int exponent_bits) {
  std::string out = DatatypeHead(1, 1, 2 << 4 | (8 * num_bytes - 1) << 8, num_bytes);
  Put(0, 2, &out);
  Put(8 * num_bytes, 2, &out);
  Put(mantissa_bits, 1, &out);
  Put(exponent_bits, 1, &out);
  Put(0, 1, &out);
  Put(mantissa_bits, 1, &out);
  Put((1 << (exponent_bits - 1)) - 1, 4, &out);
  return out;
}

std::string EncodeColumnType(const Column& column) {
  const std::string element = EncodeElementType(column.type);
  if (column.length == 1) return element;
  std::string out = DatatypeHead(10, 3, 0, column.length * ElementBytes(column.type));
  Put(1, 1, &out);
  Put(column.length, 4, &out);
  return out + element;
}

std::string EncodeCompound(const std::vector<Column>& columns) {
  int64_t row_bytes = 0;
  for (const Column& column : columns) row_bytes += column.length * ElementBytes(column.type);
  int offset_bytes = 1;
  while (row_bytes >> (8 * offset_bytes) != 0) ++offset_bytes;
  std::string out = DatatypeHead(6, 3, columns.size(), row_bytes);
  int64_t offset = 0;
  for (const Column& column : columns) {
    out += column.name;
    Put(0, 1, &out);
    Put(offset, offset_bytes, &out);
    out += EncodeColumnType(column);
    offset += column.length * ElementBytes(column.type);
  }
  return out;
}

std::string EncodeScalarSpace() {
  std::string out;
  for (const int byte : {2, 0, 0, 0}) Put(byte, 1, &out);
  return out;
}

std::string EncodeSpace(int64_t size, bool is_bounded) {
  std::string out;
  for (const int byte : {2, 1, is_bounded ? 0 : 1, 1}) Put(byte, 1, &out);
  Put(size, 8, &out);
  if (!is_bounded) Put(UINT64_MAX, 8, &out);
  return out;
}

// UTF-8, filled up with zeros.
std::string EncodeTextType(size_t num_bytes) { return DatatypeHead(3, 1, 1 | 1 << 4, num_bytes); }

std::string Padded(absl::string_view text, size_t num_bytes) {
  std::string out(text);
  out.resize(num_bytes);
  return out;
}

std::string EncodeAttribute(absl::string_view name, const Attribute& attribute) {
  std::string type, space = EncodeScalarSpace(), data;
  if (const auto* integer = std::get_if<int64_t>(&attribute)) {
    type = EncodeElementType(ElementType::kInt64);
    AppendValue(*integer, &data);
  } else if (const auto* real = std::get_if<double>(&attribute)) {
    type = EncodeElementType(ElementType::kFloat64);
    AppendValue(*real, &data);
  } else if (const auto* text = std::get_if<std::string>(&attribute)) {
    const size_t num_bytes = std::max<size_t>(text->size(), 1);
    type = EncodeTextType(num_bytes);
    data = Padded(*text, num_bytes);
  } else {
    const auto& texts = std::get<std::vector<std::string>>(attribute);
    size_t num_bytes = 1;
    for (const std::string& one : texts) num_bytes = std::max(num_bytes, one.size());
    type = EncodeTextType(num_bytes);
    space = EncodeSpace(static_cast<int64_t>(texts.size()), true);
    for (const std::string& one : texts) data += Padded(one, num_bytes);
  }
  std::string out;
  Put(3, 1, &out);
  Put(0, 1, &out);
  Put(name.size() + 1, 2, &out);
  Put(type.size(), 2, &out);
  Put(space.size(), 2, &out);
  Put(0, 1, &out);  // the name is ASCII
  out.append(name.data(), name.size());
  Put(0, 1, &out);
  return out + type + space + data;
}

// Messages one after the other, between a prefix and a checksum.
class Header {
 public:
  void Add(Message type, absl::string_view message) {
    Put(type, 1, &messages_);
    Put(message.size(), 2, &messages_);
    Put(0, 1, &messages_);
    messages_.append(message.data(), message.size());
  }
  void Add(const Attributes& attributes) {
    for (const auto& [name, value] : attributes) Add(kAttribute, EncodeAttribute(name, value));
  }

  std::string Finish() const {
    std::string out(kHeaderSignature);
    Put(2, 1, &out);
    Put(2, 1, &out);  // the length has 4 bytes
    Put(messages_.size(), 4, &out);
    out += messages_;
    Put(Lookup3(out), 4, &out);
    return out;
  }

 private:
  std::string messages_;
};

std::string EncodeFilters(int64_t row_bytes, bool compressed) {
  std::string out;
  Put(2, 1, &out);
  Put(compressed ? 3 : 1, 1, &out);
  const auto add = [&out](Filter filter, int flags, std::vector<int64_t> values) {
    Put(filter, 2, &out);
    Put(flags, 2, &out);
    Put(values.size(), 2, &out);
    for (const int64_t value : values) Put(value, 4, &out);
  };
  if (compressed) {
    add(kShuffle, 1, {row_bytes});
    add(kDeflate, 1, {kDeflateLevel});
  }
  add(kFletcher32, 0, {});
  return out;
}

}  // namespace

std::string EncodeElementType(ElementType type) {
  switch (type) {
    case ElementType::kUint8:
      return EncodeInteger(1, false);
    case ElementType::kInt32:
      return EncodeInteger(4, true);
    case ElementType::kInt64:
      return EncodeInteger(8, true);
    case ElementType::kUint64:
      return EncodeInteger(8, false);
    case ElementType::kFloat32:
      return EncodeReal(4, 23, 8);
    case ElementType::kFloat64:
      return EncodeReal(8, 52, 11);
  }
  return {};
}

std::string EncodeSuperblock(const Superblock& superblock) {
  std::string out(kSignature);
  Put(2, 1, &out);  // version
  Put(8, 1, &out);  // bytes of an address
  Put(8, 1, &out);  // bytes of a length
  Put(0, 1, &out);
  Put(0, 8, &out);
  Put(kNowhere, 8, &out);
  Put(superblock.end, 8, &out);
  Put(superblock.root_address, 8, &out);
  Put(Lookup3(out), 4, &out);
  return out;
}

std::string EncodeGroup(const Group& group) {
  Header header;
  std::string info;
  Put(0, 2, &info);
  Put(kNowhere, 8, &info);
  Put(kNowhere, 8, &info);
  header.Add(kLinkInfo, info);
  header.Add(kGroupInfo, absl::string_view("\0\0", 2));
  for (const Link& link : group.links) {
    std::string message;
    Put(1, 1, &message);
    Put(0, 1, &message);
    Put(link.name.size(), 1, &message);
    message += link.name;
    Put(link.address, 8, &message);
    header.Add(kLink, message);
  }
  header.Add(group.attributes);
  return header.Finish();
}

std::string EncodeDataset(const Dataset& dataset) {
  Header header;
  int64_t row_bytes = 0;
  std::vector<std::string> units;
  for (const Column& column : dataset.columns) {
    row_bytes += column.length * ElementBytes(column.type);
    units.push_back(column.unit);
  }
  header.Add(kDataspace, EncodeSpace(dataset.num_rows, false));
  header.Add(kDatatype, EncodeCompound(dataset.columns));
  // Zeros where nothing was written; room is taken chunk by chunk.
  header.Add(kFillValue, absl::string_view("\3\13", 2));
  std::string layout;
  Put(3, 1, &layout);
  Put(2, 1, &layout);
  Put(2, 1, &layout);
  Put(dataset.tree_address, 8, &layout);
  Put(dataset.chunk_rows, 4, &layout);
  Put(row_bytes, 4, &layout);
  header.Add(kLayout, layout);
  header.Add(kFilters, EncodeFilters(row_bytes, dataset.compressed));
  Attributes attributes = dataset.attributes;
  attributes[std::string(kUnits)] = units;
  header.Add(attributes);
  return header.Finish();
}

std::string EncodeNode(const Node& node, uint64_t end_row) {
  std::string out(kNodeSignature);
  Put(1, 1, &out);
  Put(node.level, 1, &out);
  Put(node.entries.size(), 2, &out);
  Put(node.left, 8, &out);
  Put(node.right, 8, &out);
  const auto put_key = [&out](uint64_t stored_bytes, uint64_t first_row) {
    Put(stored_bytes, 4, &out);
    Put(0, 4, &out);  // no filter was left out
    Put(first_row, 8, &out);
    Put(0, 8, &out);
  };
  for (const Node::Entry& entry : node.entries) {
    put_key(entry.stored_bytes, entry.first_row);
    Put(entry.address, 8, &out);
  }
  put_key(0, end_row);
  out.resize(kNodeBytes);
  return out;
}

}  // namespace livnd::io::hdf5
