// Names and tables that a recording has beside the streams of its user (docs/recordings.md).
#ifndef LIVND_IO_RECORDING_LAYOUT_H_
#define LIVND_IO_RECORDING_LAYOUT_H_

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "io/recording/stream.h"

namespace livnd::io {

// Attributes of the file.
inline constexpr absl::string_view kFormat = "format";
inline constexpr absl::string_view kFormatName = "livnd recording";
inline constexpr absl::string_view kFormatVersion = "format_version";
inline constexpr int64_t kCurrentFormatVersion = 1;
inline constexpr absl::string_view kClosed = "closed";
inline constexpr absl::string_view kNumFlushes = "num_flushes";

// How many rows a chunk has: a power of 2, as many as half a MiB holds.
inline int64_t ChunkRows(int64_t row_bytes) {
  constexpr int64_t kChunkBytes = 512 << 10;
  int64_t rows = 1;
  while (2 * rows * row_bytes <= kChunkBytes) rows *= 2;
  return rows;
}

// Between which keys the rows of a full chunk lie: a row of the index of its stream.
struct ChunkSpan {
  int64_t min_episode = INT64_MAX, max_episode = INT64_MIN;
  int64_t min_tick = INT64_MAX, max_tick = INT64_MIN;

  void Add(const RowKey& key) {
    min_episode = std::min(min_episode, key.episode);
    max_episode = std::max(max_episode, key.episode);
    min_tick = std::min(min_tick, key.tick);
    max_tick = std::max(max_tick, key.tick);
  }
  static ChunkSpan At(const char* row) {
    return {ValueAt<int64_t>(row, 0), ValueAt<int64_t>(row, 8), ValueAt<int64_t>(row, 16),
            ValueAt<int64_t>(row, 24)};
  }
  void AppendTo(std::string* rows) const {
    for (const int64_t value : {min_episode, max_episode, min_tick, max_tick}) {
      AppendValue(value, rows);
    }
  }
};
inline constexpr int kSpanBytes = 32;

inline std::string IndexName(absl::string_view stream) { return absl::StrCat(stream, ".index"); }
inline StreamSpec IndexOf(absl::string_view stream) {
  return {IndexName(stream),
          {{"min_episode", ElementType::kInt64, 1, ""},
           {"max_episode", ElementType::kInt64, 1, ""},
           {"min_tick", ElementType::kInt64, 1, "tick"},
           {"max_tick", ElementType::kInt64, 1, "tick"}},
          {}};
}

}  // namespace livnd::io

#endif  // LIVND_IO_RECORDING_LAYOUT_H_
