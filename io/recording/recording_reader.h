// Reads recordings, finished or not, without loading them.
#ifndef LIVND_IO_RECORDING_RECORDING_READER_H_
#define LIVND_IO_RECORDING_RECORDING_READER_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "io/recording/contents.h"
#include "io/recording/hdf5/input_file.h"
#include "io/recording/layout.h"
#include "io/recording/stream.h"

namespace livnd::io {

// Which rows of a stream with keys are wanted. Ranges are half open.
struct RowFilter {
  absl::optional<int32_t> copy;  // absent: all
  int64_t begin_episode = INT64_MIN, end_episode = INT64_MAX;
  int64_t begin_tick = INT64_MIN, end_tick = INT64_MAX;

  bool is_all() const;
  bool Wants(const RowKey& key) const;
  bool MayBeIn(const ChunkSpan& span) const;
};

// A file that RecordingFile wrote, or still writes. Thread-compatible.
//
// It needs no HDF5 library: it understands the files of this project alone, and checks every number
// of theirs before it is used, so that damage is an error and nothing worse.
//
// Errors carry the path. The system's: the file cannot be opened. DataLoss: it is no recording, or
// damaged. FailedPrecondition: a recording of a later version. Unavailable: it was being written
// faster than it could be read; ask again.
class RecordingReader {
 public:
  static absl::StatusOr<std::unique_ptr<RecordingReader>> Open(const std::string& path);
  RecordingReader(const RecordingReader&) = delete;
  RecordingReader& operator=(const RecordingReader&) = delete;

  // As the file was at Open, or at a later Refresh or Read that found it changed.
  const Attributes& attributes() const { return state_.attributes; }
  const std::vector<StreamSpec>& streams() const { return state_.specs; }
  int64_t num_rows(int stream) const { return state_.tables[stream].dataset().num_rows; }
  // Whether its writer finished it. Otherwise it is still being written, or its writer died.
  bool closed() const { return state_.closed; }
  // Of a stream, or -1.
  int Find(absl::string_view name) const;
  absl::Status Refresh();

  struct Piece {
    std::string rows;      // packed, as StreamSpec says
    int64_t next_row = 0;  // where to go on
    bool done = false;     // no row from next_row on was wanted when it was read
  };
  struct Limits {
    int64_t max_bytes = 1 << 20;                               // of rows
    int64_t max_chunks = std::numeric_limits<int64_t>::max();  // to look into
  };
  // Rows from `first_row` of the stream on that the filter wants. Chunks in which none can be are not
  // read; memory is that of the piece and a chunk. MakeFieldError: first_row beyond the stream;
  // max_bytes less than a row; a filter of a stream without keys.
  absl::StatusOr<Piece> Read(int stream, const RowFilter& filter, int64_t first_row,
                             const Limits& limits);

 private:
  // What the file says of itself at one time.
  struct State : Contents {
    std::vector<absl::optional<std::vector<ChunkSpan>>> spans;  // [stream], once read
  };
  RecordingReader(std::string path, std::unique_ptr<hdf5::InputFile> file);

  // Whether no flush has come between.
  absl::StatusOr<bool> IsCurrent() const;
  // Does `read` on a state that does not change meanwhile.
  absl::Status WhileUnchanged(absl::FunctionRef<absl::Status()> read);
  absl::Status LoadSpans(int stream);
  absl::Status ReadOnce(int stream, const RowFilter& filter, int64_t first_row,
                        const Limits& limits, Piece* piece);
  absl::StatusOr<const std::string*> ReadChunk(int stream, int64_t chunk);

  const std::string path_;
  const std::unique_ptr<hdf5::InputFile> file_;
  State state_;
  // The chunk that was read last, if it is full and so cannot change.
  int kept_stream_ = -1;
  int64_t kept_chunk_ = -1;
  std::string kept_rows_;
};

}  // namespace livnd::io

#endif  // LIVND_IO_RECORDING_RECORDING_READER_H_
