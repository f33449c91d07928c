// Reads JSON files without exceptions and within bounds.

#ifndef LIVND_IO_JSON_JSON_FILE_H_
#define LIVND_IO_JSON_JSON_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace livnd::io {

// Objects keep the order of the text, which livn gives a meaning ("the first element").
using Json = nlohmann::ordered_json;

struct JsonLimits {
  size_t max_bytes = size_t{16} << 20;
  int max_depth = 64;      // nested arrays and objects
  int max_members = 1024;  // of one object
};

// Parses one document. InvalidArgument, with `name` in front, if it is not JSON (NaN and
// infinities are not) or exceeds the limits. Of members with equal names the last one counts.
absl::StatusOr<Json> ParseJson(absl::string_view name, absl::string_view text,
                               const JsonLimits& limits = {});

// A value as JSON without line breaks. Names of files, and comments in them, may be no UTF-8: what is none is U+FFFD.
std::string JsonText(const Json& json);

// Whether all of a text is UTF-8, as JSON has to be.
bool IsUtf8(const std::string& text);

// Reads and parses a regular file; NotFound if there is none, the system's error if it cannot be
// opened or read.
absl::StatusOr<Json> ReadJsonFile(const std::string& path, const JsonLimits& limits = {});

}  // namespace livnd::io

#endif  // LIVND_IO_JSON_JSON_FILE_H_
