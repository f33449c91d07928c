// How a session is recorded: which recording it has, and what of its operations is in there.
#ifndef LIVND_SERVER_SESSION_RECORDER_H_
#define LIVND_SERVER_SESSION_RECORDER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "io/recording/stream.h"
#include "livnd/v1/journal.pb.h"
#include "livnd/v1/recording_service.pb.h"
#include "server/machine/memory_budget.h"
#include "server/machine/mutex.h"
#include "server/recording/growing_recording.h"
#include "server/recording/recording_folder.h"

namespace livnd::server {

// Operations leave rows, which stay here until what they did is written down in the journal, and go to
// the file then, in this order. So after a crash the file has no row of what the session does not know of. What
// it does not have yet comes again when the journal is redone, and what it has is left out.
//
// Used on the session's strand; Release is thread-safe.
class Recorder {
 public:
  struct Place {
    RecordingFolder* folder = nullptr;  // null: there are no files
    MemoryBudget* memory = nullptr;
    std::string tenant, session_tag;
    bool comes_back = false;  // the session outlives the process
  };

  // Without a place nothing is written: of a session that is only done again.
  Recorder() = default;
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  void SetPlace(Place place) { place_ = std::move(place); }
  // From which the names of recordings follow.
  void SetKey(std::string key) { key_ = std::move(key); }

  bool active() const { return active_; }
  const std::string& name() const { return name_; }
  // It ended before the session, as far as Encode or the file has told.
  bool cut_short() const { return !why_.empty(); }

  // Begins a recording by operation request.op_index. Each operation takes up operation_bytes besides while it
  // is recorded. OUT_OF_MEMORY, QUOTA_EXCEEDED,
  // STATE_NOT_WRITTEN.
  absl::Status Start(const v1::StartRecordingRequest& request, io::Attributes attributes,
                     std::vector<io::StreamSpec> streams, int64_t operation_bytes = 0);
  void Stop();

  // Where an operation puts its rows, [stream]; and how long it took to make them.
  absl::Span<std::string> rows() { return absl::MakeSpan(rows_); }
  void Took(absl::Duration making) { making_ += making; }
  absl::Duration took() const { return making_; }  // since Keep

  // What was done is written down, or waits for the disk: then Release of the number that is returned
  // tells that it is. The operation took so long.
  int64_t Keep(absl::Duration computed);
  void Release(int64_t number) ABSL_LOCKS_EXCLUDED(mu_);

  // Whether another operation may begin, as far as the memory of rows goes; and waits until it may.
  bool has_room() const { return growing_ == nullptr || growing_->has_room(); }
  void WaitForRoom() {
    if (growing_ != nullptr) growing_->WaitForRoom();
  }

  // Before a journal begins anew: all rows are in the file. False where there is no recording, and
  // nothing to be told.
  bool Encode(v1::JournalRecording* recording);
  // The recording that a journal begins with.
  void GoOn(const v1::JournalRecording& recording, const std::vector<io::StreamSpec>& streams,
            int64_t operation_bytes = 0);
  // Between them operations are done again.
  void BeginRedo() { redoing_ = true; }
  void EndRedo();

 private:
  // Has the recording go on in its file, which has at least so many rows of each stream.
  void OpenFile(const std::vector<io::StreamSpec>& streams);
  void EndFile(bool paused);
  // What the recording takes up.
  int64_t NumBytes(const std::vector<io::StreamSpec>& streams) const;
  // There is no file any more, or none that can be gone on with.
  void CutShort(absl::string_view why);

  Place place_;
  std::string key_;
  int64_t operation_bytes_ = 0;
  bool active_ = false;
  bool redoing_ = false;
  v1::StartRecordingRequest request_;
  std::string name_;
  std::string why_;                 // it ended before the session
  std::vector<std::string> rows_;   // of what was done last
  std::vector<int64_t> row_bytes_;  // [stream]
  std::vector<int64_t> num_rows_;   // kept so far
  std::vector<int64_t> num_there_;  // of those still to come, in the file already
  absl::Duration making_;
  int64_t unchecked_bytes_ = 0;  // since the tenant's were looked at
  MemoryBudget::Reservation memory_;
  std::shared_ptr<GrowingRecording> growing_;  // null: none, or it has ended

  mutable Mutex mu_;
  int64_t last_number_ ABSL_GUARDED_BY(mu_) = 0;
  std::deque<std::pair<int64_t, std::vector<std::string>>> held_ ABSL_GUARDED_BY(mu_);
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_SESSION_RECORDER_H_
