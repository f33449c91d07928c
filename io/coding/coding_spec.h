// An encoding or decoding in plain data: its name and its numbers.
//
//   {name: network_bursts, bin_ms: 50, count: runs}
//
// or the name alone, which takes every default. Tasks, recordings and tools share this form; in a
// file it may be YAML or JSON (io/json/yaml.h).
#ifndef LIVND_IO_CODING_CODING_SPEC_H_
#define LIVND_IO_CODING_CODING_SPEC_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "io/json/json_file.h"
#include "io/json/json_view.h"

namespace livnd::io {

// Holds a copy of what was said, of which it has read the name; the encoding or decoding reads the
// rest.
class CodingSpec {
 public:
  // Of a part of a document. Errors of Parse name the document and the place; those of what is made
  // from the spec only its fields, and view.Within puts the place before them.
  static absl::StatusOr<CodingSpec> Parse(const JsonView& view);
  // Of a text that is one spec, YAML or JSON; `where`, usually its file, stays in all errors.
  static absl::StatusOr<CodingSpec> ParseText(absl::string_view where, absl::string_view text);

  const std::string& name() const { return name_; }
  // An object, which lives as long as the spec.
  JsonView fields() const { return JsonView(fields_, where_); }

  // The error where the name is none of those known.
  absl::Status UnknownName(const std::vector<std::string>& known) const;

 private:
  CodingSpec(std::string where, std::string name, Json fields)
      : where_(std::move(where)), name_(std::move(name)), fields_(std::move(fields)) {}

  std::string where_;
  std::string name_;
  Json fields_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_CODING_CODING_SPEC_H_
