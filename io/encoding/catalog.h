// All encodings by name.
#ifndef LIVND_IO_ENCODING_CATALOG_H_
#define LIVND_IO_ENCODING_CATALOG_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "io/coding/coding_fields.h"
#include "io/coding/coding_spec.h"
#include "io/coding/coding_tensor.h"
#include "io/encoding/encoding.h"

namespace livnd::io {

struct EncodingEntry {
  const char* name;
  absl::StatusOr<std::unique_ptr<const Encoding>> (*make)(const CodingSpec& spec,
                                                          const EncodingWindow& window);
  // Its fields, what each takes, and the defaults.
  std::vector<CodingFields::Field> (*fields)();

  // What it takes under the defaults, in a step of a second.
  std::vector<CodingTensor> Tensors() const;
};

// In the order of docs/codings.md.
absl::Span<const EncodingEntry> Encodings();

// The encoding that a specification names, with its numbers. Errors: a name that is none, where the
// nearest is told; a field that it does not have; those of MakeEncoding of encoding.h. All name the
// spec's file if it has one.
absl::StatusOr<std::unique_ptr<const Encoding>> MakeEncoding(const CodingSpec& spec,
                                                             const EncodingWindow& window);

}  // namespace livnd::io

#endif  // LIVND_IO_ENCODING_CATALOG_H_
