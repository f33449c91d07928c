// A recording that this process writes.
#ifndef LIVND_SERVER_RECORDING_GROWING_RECORDING_H_
#define LIVND_SERVER_RECORDING_GROWING_RECORDING_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "io/recording/recording_file.h"
#include "io/recording/recording_writer.h"
#include "io/recording/stream.h"
#include "server/machine/mutex.h"

namespace livnd::server {

// Attribute of a file that is closed for now, and in which its session goes on when it is back: 1.
inline constexpr absl::string_view kPaused = "paused";

// The system's error about a path, or one as long as it is made, for callers, who do not know the server's folders.
absl::Status WithoutPath(const absl::Status& status, const std::string& path,
                         absl::string_view what = "the recording");

// Owns the writer and its thread. Thread-safe. Destroying it closes the file, as paused, unless Close or
// CutShort was called.
class GrowingRecording {
 public:
  // Rows that wait to be written, at most, but for those of one operation.
  static constexpr int64_t kMaxWaitingBytes = 4 << 20;

  // `path` is the file's.
  GrowingRecording(std::string name, std::string path, std::unique_ptr<io::RecordingFile> file);
  ~GrowingRecording();
  GrowingRecording(const GrowingRecording&) = delete;
  GrowingRecording& operator=(const GrowingRecording&) = delete;

  const std::string& name() const { return name_; }
  // Of the file as it was opened.
  const io::Attributes& attributes() const { return attributes_; }
  const std::vector<io::StreamSpec>& streams() const { return writer_.streams(); }
  io::RecordingWriter::Counts counts() const { return writer_.counts(); }
  // When it began to grow here: of a recording that goes on, not nothing.
  const io::RecordingWriter::Counts& first_counts() const { return first_counts_; }

  // Why it grows no more: the file's error, without its path, or CutShort's.
  absl::Status status() const ABSL_LOCKS_EXCLUDED(mu_);

  // Rows of each stream, which are taken, unless it grows no more; does not wait. Who appends much asks
  // has_room first, or waits for it.
  void Append(absl::Span<std::string> rows) { writer_.Append(rows).IgnoreError(); }
  bool has_room() const { return writer_.has_room(); }
  void WaitForRoom() { writer_.WaitForRoom(); }
  // Waits until all that was appended is in the file.
  absl::Status Flush() { return writer_.Flush(); }

  // Nothing more is taken, for that reason, which status() tells from now on.
  void CutShort(absl::Status why) ABSL_LOCKS_EXCLUDED(mu_);
  // All is in the file, which is closed. `paused`: its session goes on in it.
  absl::Status Close(bool paused);

  // So long took an operation, and so much of it was for the recording.
  void AddTimes(absl::Duration recording, absl::Duration operation) {
    recording_ns_ += absl::ToInt64Nanoseconds(recording);
    operations_ns_ += absl::ToInt64Nanoseconds(operation);
  }
  double recording_s() const { return static_cast<double>(recording_ns_) * 1e-9; }
  double operations_s() const { return static_cast<double>(operations_ns_) * 1e-9; }

 private:
  const std::string name_, path_;
  const io::Attributes attributes_;
  io::RecordingWriter writer_;
  const io::RecordingWriter::Counts first_counts_;
  std::atomic<int64_t> recording_ns_{0}, operations_ns_{0};
  mutable Mutex mu_;
  absl::Status cut_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_RECORDING_GROWING_RECORDING_H_
