// What a recording is made of: streams, which are tables that grow.
#ifndef LIVND_IO_RECORDING_STREAM_H_
#define LIVND_IO_RECORDING_STREAM_H_

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace livnd::io {

enum class ElementType : uint8_t { kUint8, kInt32, kInt64, kUint64, kFloat32, kFloat64 };
int ElementBytes(ElementType type);

struct Column {
  std::string name;
  ElementType type = ElementType::kInt64;
  int64_t length = 1;  // elements a row; more than 1: an array
  std::string unit;    // "mV"; empty: a plain number
};

// Texts are UTF-8.
using Attribute = std::variant<int64_t, double, std::string, std::vector<std::string>>;
using Attributes = std::map<std::string, Attribute>;

// A stream's rows are its columns one after the other, packed and little-endian.
struct StreamSpec {
  std::string name;
  std::vector<Column> columns;
  Attributes attributes;

  int64_t row_bytes() const;
  // Whether its first columns are those of KeyedStream, by which rows are found.
  bool is_keyed() const;
};

bool operator==(const Column& a, const Column& b);

// When a row happened, the first columns of every stream but of tables that only explain others:
// in which copy of the session, in which of its episodes, counted from 1 (of a culture: after which
// Clear), and how many ticks after that began.
struct RowKey {
  int32_t copy = 0;
  int64_t episode = 0;
  int64_t tick = 0;
};
inline constexpr int kKeyBytes = 20;
StreamSpec KeyedStream(absl::string_view name, std::vector<Column> columns,
                       Attributes attributes = {});

inline constexpr int kMaxStreams = 256;
inline constexpr int kMaxColumns = 64;
inline constexpr int kMaxNameBytes = 128;
inline constexpr int64_t kMaxRowBytes = int64_t{1} << 28;
inline constexpr int64_t kMaxAttributeBytes = 60000;

// MakeFieldError ("streams[1].columns[0].length") unless a recording can have these streams: names
// each once, of 1 to kMaxNameBytes printable ASCII characters without '/' and not ending in ".index",
// which is the writer's; rows and attributes within the bounds above.
absl::Status CheckStreams(const std::vector<StreamSpec>& streams);
absl::Status CheckAttributes(absl::string_view field, const Attributes& attributes);

// Rows are built by appending value after value.
template <typename T>
void AppendValue(T value, std::string* rows) {
  rows->append(reinterpret_cast<const char*>(&value), sizeof(T));
}
inline void AppendKey(const RowKey& key, std::string* rows) {
  AppendValue(key.copy, rows);
  AppendValue(key.episode, rows);
  AppendValue(key.tick, rows);
}
// The value of type T at so many bytes into a row.
template <typename T>
T ValueAt(const char* row, int64_t offset) {
  T value;
  std::memcpy(&value, row + offset, sizeof(T));
  return value;
}
inline RowKey KeyOf(const char* row) {
  return {ValueAt<int32_t>(row, 0), ValueAt<int64_t>(row, 4), ValueAt<int64_t>(row, 12)};
}

}  // namespace livnd::io

#endif  // LIVND_IO_RECORDING_STREAM_H_
