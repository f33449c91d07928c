// Chunks of a table as they are stored.
#ifndef LIVND_IO_RECORDING_HDF5_CHUNK_CODEC_H_
#define LIVND_IO_RECORDING_HDF5_CHUNK_CODEC_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace livnd::io::hdf5 {

// `rows`, whole rows of row_bytes each, as the filters of metadata.h's Dataset leave them.
// ResourceExhausted: zlib got no memory.
absl::StatusOr<std::string> StoreChunk(absl::string_view rows, int64_t row_bytes, bool compressed);

// The other way; the chunk has chunk_bytes. DataLoss: the checksum says that the bytes are others
// than were stored, or they are no such chunk.
absl::StatusOr<std::string> LoadChunk(absl::string_view stored, int64_t chunk_bytes,
                                      int64_t row_bytes, bool compressed);

}  // namespace livnd::io::hdf5

#endif  // LIVND_IO_RECORDING_HDF5_CHUNK_CODEC_H_
