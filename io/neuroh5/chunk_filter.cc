#include "io/neuroh5/chunk_filter.h"

#include <zlib.h>

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace livnd::io {
namespace {

// Inflates one zlib stream to at most max_bytes.
absl::StatusOr<std::vector<unsigned char>> Inflate(const std::vector<unsigned char>& in,
                                                   size_t max_bytes) {
  if (in.size() > UINT32_MAX || max_bytes > UINT32_MAX) {
    return absl::DataLossError("compressed chunk is too large");
  }
  std::vector<unsigned char> out(max_bytes);
  z_stream stream = {};
  if (inflateInit(&stream) != Z_OK) return absl::ResourceExhaustedError("zlib out of memory");
  stream.next_in = const_cast<unsigned char*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = inflate(&stream, Z_FINISH);
  const size_t produced = out.size() - stream.avail_out;
  inflateEnd(&stream);
  if (code == Z_BUF_ERROR && stream.avail_out == 0) {
    return absl::DataLossError(
        absl::StrCat("compressed chunk is larger than the expected ", max_bytes, " bytes"));
  }
  if (code != Z_STREAM_END) {
    return absl::DataLossError(absl::StrCat("compressed chunk is damaged (zlib ", code, ")"));
  }
  out.resize(produced);
  return out;
}

// Shuffle stores the first bytes of all elements, then the second bytes, and so on; bytes past
// the last whole element are kept in place.
std::vector<unsigned char> Unshuffle(const std::vector<unsigned char>& in, size_t element_bytes) {
  const size_t num_elements = in.size() / element_bytes;
  std::vector<unsigned char> out(in);
  for (size_t byte = 0; byte < element_bytes; ++byte) {
    for (size_t i = 0; i < num_elements; ++i) {
      out[i * element_bytes + byte] = in[byte * num_elements + i];
    }
  }
  return out;
}

}  // namespace

absl::StatusOr<std::vector<unsigned char>> DecodeChunk(std::vector<unsigned char> stored,
                                                       const std::vector<ChunkFilter>& filters,
                                                       size_t chunk_bytes, size_t element_bytes) {
  // What is left between two filters is a chunk or a compressed chunk, and deflate makes
  // incompressible bytes only slightly longer.
  const size_t max_bytes = chunk_bytes + chunk_bytes / 8 + 4096;
  for (auto filter = filters.rbegin(); filter != filters.rend(); ++filter) {
    if (*filter == ChunkFilter::kDeflate) {
      LIVND_ASSIGN_OR_RETURN(stored, Inflate(stored, max_bytes));
    } else if (element_bytes > 1) {
      stored = Unshuffle(stored, element_bytes);
    }
  }
  if (stored.size() != chunk_bytes) {
    return absl::DataLossError(
        absl::StrCat("chunk decodes to ", stored.size(), " bytes, expected ", chunk_bytes));
  }
  return stored;
}

}  // namespace livnd::io
