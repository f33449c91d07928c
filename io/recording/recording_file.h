// A recording while it is written.
#ifndef LIVND_IO_RECORDING_RECORDING_FILE_H_
#define LIVND_IO_RECORDING_RECORDING_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "io/recording/hdf5/file_space.h"
#include "io/recording/hdf5/output_file.h"
#include "io/recording/stream.h"

namespace livnd::io {

struct Contents;

// An HDF5 file in the layout of docs/recordings.md. It is a valid file from Create on, whenever it is
// looked at and whatever happens to the process, and holds what was appended before the last Flush
// that returned OK, or that was being made: data and metadata are written to free places, and the last
// write, of the 48 bytes that say where the metadata begin, makes them the file's.
//
// Memory: a chunk of every stream and two more of the largest (MemoryBytes). Thread-compatible.
class RecordingFile {
 public:
  struct Options {
    bool compressed = true;
    bool durable = false;  // a Flush survives the machine, and not the process alone
    // Append and Flush fail with ResourceExhausted instead of making the file longer, but for the
    // metadata of a last Close.
    int64_t max_bytes = INT64_MAX;
  };

  // Nothing may be at `path`; the file is at `path` + ".new" until it is valid. MakeFieldError: see
  // CheckStreams and CheckAttributes. The system's error: the file cannot be made.
  static absl::StatusOr<std::unique_ptr<RecordingFile>> Create(
      const std::string& path, const Attributes& attributes, const std::vector<StreamSpec>& streams,
      const Options& options);
  // Goes on with a recording that was closed, or whose writer is gone, from what was flushed last; it
  // is open again, and its streams and attributes stay. `compressed` is what it was for each stream.
  // Only one may write to a file: seeing to that is the caller's business. The errors of
  // RecordingReader::Open; ResourceExhausted: it is longer than max_bytes.
  static absl::StatusOr<std::unique_ptr<RecordingFile>> Resume(const std::string& path,
                                                               const Options& options);
  // Of a file with such streams.
  static int64_t MemoryBytes(const std::vector<StreamSpec>& streams);

  ~RecordingFile();

  // Whole rows for one stream. MakeFieldError ("rows"): not whole rows; ResourceExhausted: max_bytes;
  // nothing has changed then. After any other error the file stays as the last Flush left it, and
  // every call answers that error.
  absl::Status Append(int stream, absl::string_view rows);
  // The same for every stream, rows[stream]: all are taken, or none.
  absl::Status Append(absl::Span<const std::string> rows);
  // An attribute of the file (stream -1) or of a stream, from the next Flush on.
  void SetAttribute(int stream, const std::string& name, int64_t value);
  absl::Status Flush();
  // Flushes, and says in the file that it is complete; without it the file says that it was not
  // closed. FailedPrecondition, from now on and of every call: it is closed.
  absl::Status Close();

  const std::vector<StreamSpec>& streams() const { return specs_; }
  const Attributes& attributes() const { return attributes_; }
  int64_t num_rows(int stream) const;
  // As of the last Flush.
  int64_t num_bytes() const { return num_bytes_; }
  int64_t num_flushes() const { return num_flushes_; }

 private:
  class Stream;

  RecordingFile(std::unique_ptr<hdf5::OutputFile> file, const Options& options, uint64_t begin);
  absl::Status GoOnFrom(Contents& contents);
  absl::Status Begin(const Attributes& attributes, const std::vector<StreamSpec>& streams);
  absl::Status CheckRows(int stream, absl::string_view rows) const;
  absl::Status CheckRoom(int64_t num_bytes) const;
  absl::Status Commit(bool last);

  const std::unique_ptr<hdf5::OutputFile> file_;
  const Options options_;
  hdf5::FileSpace space_;
  std::vector<StreamSpec> specs_;
  std::vector<std::unique_ptr<Stream>> streams_;
  Attributes attributes_;
  hdf5::Extent root_;
  absl::Status status_;      // the first error
  int64_t spare_bytes_ = 0;  // that a Close may take
  int64_t num_bytes_ = 0;
  int64_t num_flushes_ = 0;
};

}  // namespace livnd::io

#endif  // LIVND_IO_RECORDING_RECORDING_FILE_H_
