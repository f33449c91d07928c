#include "io/recording/stream.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/field_error.h"
#include "base/status_macros.h"

namespace livnd::io {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "rows are little-endian");

const std::vector<Column>& KeyColumns() {
  static const auto* const columns =
      new std::vector<Column>{{"copy", ElementType::kInt32, 1, ""},
                              {"episode", ElementType::kInt64, 1, ""},
                              {"tick", ElementType::kInt64, 1, "tick"}};
  return *columns;
}

absl::Status CheckName(absl::string_view field, absl::string_view name) {
  bool good = !name.empty() && name.size() <= kMaxNameBytes && name != "." && name != "..";
  for (const char c : name) good = good && c > ' ' && c < 127 && c != '/';
  if (good) return absl::OkStatus();
  return MakeFieldError(
      field, name,
      absl::StrCat("1 to ", kMaxNameBytes, " printable ASCII characters, no space, no '/'"));
}

int64_t AttributeBytes(const Attribute& attribute) {
  if (const auto* text = std::get_if<std::string>(&attribute)) {
    return static_cast<int64_t>(text->size());
  }
  if (const auto* texts = std::get_if<std::vector<std::string>>(&attribute)) {
    size_t longest = 1;
    for (const std::string& text : *texts) longest = std::max(longest, text.size());
    return static_cast<int64_t>(texts->size() * longest);
  }
  return 8;
}

absl::Status CheckStream(const std::string& field, const StreamSpec& stream) {
  LIVND_RETURN_IF_ERROR(CheckName(absl::StrCat(field, ".name"), stream.name));
  if (absl::EndsWith(stream.name, ".index")) {
    return MakeFieldError(absl::StrCat(field, ".name"), stream.name,
                          "a name that does not end in \".index\"");
  }
  if (stream.columns.empty() || stream.columns.size() > kMaxColumns) {
    return MakeFieldError(absl::StrCat(field, ".columns"), absl::StrCat(stream.columns.size()),
                          absl::StrCat("1 to ", kMaxColumns, " columns"));
  }
  std::set<std::string> names;
  int64_t row_bytes = 0;
  for (size_t i = 0; i < stream.columns.size(); ++i) {
    const Column& column = stream.columns[i];
    const std::string of_column = absl::StrCat(field, ".columns[", i, "]");
    LIVND_RETURN_IF_ERROR(CheckName(absl::StrCat(of_column, ".name"), column.name));
    if (!names.insert(column.name).second) {
      return MakeFieldError(absl::StrCat(of_column, ".name"), column.name, "each name once");
    }
    const int64_t max_length = (kMaxRowBytes - row_bytes) / ElementBytes(column.type);
    if (column.length < 1 || column.length > max_length) {
      return MakeFieldError(absl::StrCat(of_column, ".length"), absl::StrCat(column.length),
                            absl::StrCat("1 .. ", max_length));
    }
    row_bytes += column.length * ElementBytes(column.type);
  }
  if (stream.attributes.count("units") > 0) {
    return MakeFieldError(absl::StrCat(field, ".attributes[units]"), "set", "units of columns");
  }
  return CheckAttributes(absl::StrCat(field, ".attributes"), stream.attributes);
}

}  // namespace

int ElementBytes(ElementType type) {
  switch (type) {
    case ElementType::kUint8:
      return 1;
    case ElementType::kInt32:
    case ElementType::kFloat32:
      return 4;
    case ElementType::kInt64:
    case ElementType::kUint64:
    case ElementType::kFloat64:
      return 8;
  }
  return 8;
}

int64_t StreamSpec::row_bytes() const {
  int64_t bytes = 0;
  for (const Column& column : columns) bytes += column.length * ElementBytes(column.type);
  return bytes;
}

bool StreamSpec::is_keyed() const {
  const std::vector<Column>& keys = KeyColumns();
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i >= columns.size() || !(columns[i] == keys[i])) return false;
  }
  return true;
}

bool operator==(const Column& a, const Column& b) {
  return a.name == b.name && a.type == b.type && a.length == b.length && a.unit == b.unit;
}

StreamSpec KeyedStream(absl::string_view name, std::vector<Column> columns, Attributes attributes) {
  StreamSpec spec{std::string(name), KeyColumns(), std::move(attributes)};
  for (Column& column : columns) spec.columns.push_back(std::move(column));
  return spec;
}

absl::Status CheckStreams(const std::vector<StreamSpec>& streams) {
  if (streams.empty() || streams.size() > kMaxStreams) {
    return MakeFieldError("streams", absl::StrCat(streams.size()),
                          absl::StrCat("1 to ", kMaxStreams, " streams"));
  }
  std::set<std::string> names;
  for (size_t i = 0; i < streams.size(); ++i) {
    const std::string field = absl::StrCat("streams[", i, "]");
    LIVND_RETURN_IF_ERROR(CheckStream(field, streams[i]));
    if (!names.insert(streams[i].name).second) {
      return MakeFieldError(absl::StrCat(field, ".name"), streams[i].name, "each name once");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckAttributes(absl::string_view field, const Attributes& attributes) {
  int64_t bytes = 0;
  for (const auto& [name, value] : attributes) {
    const std::string of_attribute = absl::StrCat(field, "[", name, "]");
    LIVND_RETURN_IF_ERROR(CheckName(of_attribute, name));
    bytes += AttributeBytes(value);
    if (bytes > kMaxAttributeBytes) {
      return MakeFieldError(of_attribute, absl::StrCat(AttributeBytes(value), " bytes"),
                            absl::StrCat("attributes of ", kMaxAttributeBytes, " bytes in all"));
    }
  }
  return absl::OkStatus();
}

}  // namespace livnd::io
