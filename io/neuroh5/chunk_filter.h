// Undoes the filters that a data set's chunks were stored with.

#ifndef LIVND_IO_NEUROH5_CHUNK_FILTER_H_
#define LIVND_IO_NEUROH5_CHUNK_FILTER_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace livnd::io {

enum class ChunkFilter { kDeflate, kShuffle };

// `stored` went through `filters` in the given order (several deflates may be stacked); returns
// the chunk, which must have exactly `chunk_bytes`. `element_bytes` is what shuffle works on.
// Uses at most about three times `chunk_bytes` of memory whatever the input.
// DataLoss if the bytes do not decode to that size.
absl::StatusOr<std::vector<unsigned char>> DecodeChunk(std::vector<unsigned char> stored,
                                                       const std::vector<ChunkFilter>& filters,
                                                       size_t chunk_bytes, size_t element_bytes);

}  // namespace livnd::io

#endif  // LIVND_IO_NEUROH5_CHUNK_FILTER_H_
