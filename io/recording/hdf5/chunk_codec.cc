#include "io/recording/hdf5/chunk_codec.h"

#include <zlib.h>

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "io/neuroh5/chunk_filter.h"
#include "io/recording/hdf5/bytes.h"
#include "io/recording/hdf5/checksum.h"
#include "io/recording/hdf5/metadata.h"

namespace livnd::io::hdf5 {
namespace {

constexpr int kChecksumBytes = 4;

// The first bytes of all rows, then their second bytes, and so on.
std::string Shuffle(absl::string_view rows, int64_t row_bytes) {
  const size_t num_rows = rows.size() / row_bytes;
  std::string out(rows.size(), '\0');
  char* to = &out[0];
  for (int64_t byte = 0; byte < row_bytes; ++byte) {
    const char* from = rows.data() + byte;
    for (size_t i = 0; i < num_rows; ++i, from += row_bytes) *to++ = *from;
  }
  return out;
}

}  // namespace

absl::StatusOr<std::string> StoreChunk(absl::string_view rows, int64_t row_bytes, bool compressed) {
  std::string stored;
  if (compressed) {
    const std::string shuffled = Shuffle(rows, row_bytes);
    uLongf num_bytes = compressBound(shuffled.size());
    stored.resize(num_bytes);
    const int code =
        compress2(reinterpret_cast<Bytef*>(&stored[0]), &num_bytes,
                  reinterpret_cast<const Bytef*>(shuffled.data()), shuffled.size(), kDeflateLevel);
    if (code != Z_OK) return absl::ResourceExhaustedError("zlib got no memory");
    stored.resize(num_bytes);
  } else {
    stored.assign(rows.data(), rows.size());
  }
  Put(Fletcher32(stored), kChecksumBytes, &stored);
  return stored;
}

absl::StatusOr<std::string> LoadChunk(absl::string_view stored, int64_t chunk_bytes,
                                      int64_t row_bytes, bool compressed) {
  if (stored.size() < kChecksumBytes) return absl::DataLossError("the chunk is cut off");
  const absl::string_view bytes = stored.substr(0, stored.size() - kChecksumBytes);
  if (ByteReader(stored.substr(bytes.size())).Number(kChecksumBytes) != Fletcher32(bytes)) {
    return absl::DataLossError("the chunk's checksum is wrong");
  }
  std::vector<ChunkFilter> filters;
  if (compressed) filters = {ChunkFilter::kShuffle, ChunkFilter::kDeflate};
  LIVND_ASSIGN_OR_RETURN(
      const std::vector<unsigned char> chunk,
      DecodeChunk({bytes.begin(), bytes.end()}, filters, chunk_bytes, row_bytes));
  return std::string(chunk.begin(), chunk.end());
}

}  // namespace livnd::io::hdf5
