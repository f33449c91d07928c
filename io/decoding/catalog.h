// All decodings by name.
#ifndef LIVND_IO_DECODING_CATALOG_H_
#define LIVND_IO_DECODING_CATALOG_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "io/coding/coding_fields.h"
#include "io/coding/coding_spec.h"
#include "io/coding/coding_tensor.h"
#include "io/decoding/decoding.h"
#include "io/decoding/window.h"

namespace livnd::io {

struct DecodingEntry {
  const char* name;
  absl::StatusOr<std::unique_ptr<const Decoding>> (*make)(const CodingSpec& spec,
                                                          const DecodingWindow& window);
  // Its fields, what each takes, and the defaults.
  std::vector<CodingFields::Field> (*fields)();
  // Whether the spec has no other fields, and each within its bounds. What depends on a window is make's.
  absl::Status (*check)(const CodingSpec& spec);
  Heard heard = Heard::kSpikes;

  // What it gives under the defaults.
  std::vector<CodingTensor> Tensors() const;
};

// In the order of docs/codings.md.
absl::Span<const DecodingEntry> Decodings();

// The decoding that a specification names, with its numbers. Errors: a name that is none, where the
// nearest is told; a field that it does not have; those of MakeDecoding of decoding.h. All name the
// spec's file if it has one.
absl::StatusOr<std::unique_ptr<const Decoding>> MakeDecoding(const CodingSpec& spec,
                                                             const DecodingWindow& window);

// Those errors of MakeDecoding that no window would avoid.
absl::Status CheckDecoding(const CodingSpec& spec);
// What the decoding that a specification names listens to; spikes of a name that is none.
Heard HeardBy(const CodingSpec& spec);

}  // namespace livnd::io

#endif  // LIVND_IO_DECODING_CATALOG_H_
