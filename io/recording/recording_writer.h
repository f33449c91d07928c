// Hands rows over to a thread that writes them, within a bound of memory.
#ifndef LIVND_IO_RECORDING_RECORDING_WRITER_H_
#define LIVND_IO_RECORDING_RECORDING_WRITER_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "io/recording/recording_file.h"

namespace livnd::io {

// Attribute of a file that was closed since it could not go on: 1.
inline constexpr absl::string_view kCutShort = "cut_short";

// Thread-safe. One thread of the caller's calls Run and is busy with the file until the recording is
// closed; others append. What comes faster than it can be written is told: either Append waits, or the
// rows are dropped, or whoever appends waits beforehand, where it suits; all are counted, here and in the
// file ("num_dropped" of each stream, and "num_waits" and "waited_us" of the file).
class RecordingWriter {
 public:
  enum class WhenFull { kWait, kDrop, kTake };
  struct Options {
    // Rows that wait to be written, in all; a single Append of more waits until it is alone.
    int64_t max_waiting_bytes = 16 << 20;
    WhenFull when_full = WhenFull::kWait;
    // What was appended is in the file so long after at the latest, if the disk keeps up.
    std::chrono::milliseconds flush_interval{1000};
  };
  struct Counts {
    // [stream] rows: taken and not lost since; dropped, or lost because the file failed.
    std::vector<int64_t> appended, dropped;
    int64_t num_waits = 0;  // Appends that found no room
    int64_t waited_us = 0;
    int64_t most_waiting_bytes = 0;
    int64_t num_flushes = 0;
    int64_t num_bytes = 0;         // of the file
    std::vector<int64_t> flushed;  // [stream] rows that are in the file for good
  };

  RecordingWriter(std::unique_ptr<RecordingFile> file, const Options& options);
  // Run has returned, or was never called.
  ~RecordingWriter() = default;
  RecordingWriter(const RecordingWriter&) = delete;
  RecordingWriter& operator=(const RecordingWriter&) = delete;

  // Writes until Close or an error of the file. To be called once.
  void Run();

  // Whole rows, which are taken, or counted as dropped. FailedPrecondition: it is being closed; rows that
  // come after Close was called belong to no recording and count nowhere. The error of the file, since
  // which every row counts as dropped.
  absl::Status Append(int stream, std::string rows);
  // Rows of every stream, moved from rows[stream]: they are taken or dropped together, and no flush
  // comes between them, so that a file has all of them or none.
  absl::Status Append(absl::Span<std::string> rows);
  // Whether fewer than max_waiting_bytes wait to be written, or none will be any more; and waits for it.
  bool has_room() const;
  void WaitForRoom();
  // An attribute of the file, from the next flush on.
  void SetAttribute(const std::string& name, int64_t value);
  // Waits until all that was appended before is in the file. The error of the file.
  absl::Status Flush();
  // Has Run write what is left, close the file and return, and waits for that. The error of the file.
  // Where Run was never called it must be called, and returns at once when that is done.
  absl::Status Close();
  // Closes it without waiting, while rows may still come, which count as dropped; Run returns in its time.
  void BeginClose();

  const std::vector<StreamSpec>& streams() const { return specs_; }
  Counts counts() const;
  // The first error of the file.
  absl::Status status() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Batch {
    std::vector<std::string> rows;  // [stream]
    int64_t num_bytes;
  };

  // Writes batches to the file. Only the thread of Run.
  absl::Status WriteOut(const std::deque<Batch>& batches);
  absl::Status FlushFile(bool last);
  bool HasRoomNow() const;
  // The file took no more, for that reason: what is not in it is dropped.
  void GiveUp(const absl::Status& status);
  bool HasRoom(int64_t num_bytes) const;

  const Options options_;
  const std::unique_ptr<RecordingFile> file_;  // the thread of Run
  const std::vector<StreamSpec> specs_;

  mutable std::mutex mutex_;
  std::condition_variable work_;  // for Run
  std::condition_variable done_;  // for the others
  std::deque<Batch> waiting_;
  int64_t waiting_bytes_ = 0;  // those that are being written among them
  int64_t num_flushes_wanted_ = 0, num_flushes_begun_ = 0, num_flushes_made_ = 0;
  bool closing_ = false, ended_ = false, over_ = false;
  absl::Status status_;
  Counts counts_;
  std::map<std::string, int64_t> attributes_;  // to be set
};

}  // namespace livnd::io

#endif  // LIVND_IO_RECORDING_RECORDING_WRITER_H_
