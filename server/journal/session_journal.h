// What a session writes down of itself.
#ifndef LIVND_SERVER_JOURNAL_SESSION_JOURNAL_H_
#define LIVND_SERVER_JOURNAL_SESSION_JOURNAL_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "grpcpp/support/byte_buffer.h"
#include "livnd/v1/journal.pb.h"
#include "server/journal/journal_file.h"
#include "server/journal/sync_thread.h"

namespace livnd::server {

// The journal of a session that is in memory. An operation is prepared before it is done, so that a full
// disk refuses it while nothing has changed, and recorded before it is answered. Once anything could
// not be written the journal is broken, and must begin anew before anything else is answered.
//
// Thread-compatible: the session uses it on its strand; WhenKept's callbacks come on another thread.
class SessionJournal {
 public:
  // `head` holds what never changes: the identity in its start, num_envs, autoreset_mode,
  // max_episode_steps, unseeded_seed and request_*. `sync`: null for Durability::kProcess; must outlive
  // the journal, as must `writable`, which says whether the last write of any journal succeeded. It is
  // broken until it has begun anew for the first time.
  SessionJournal(std::string path, Durability durability, v1::JournalHead head, SyncThread* sync,
                 std::atomic<bool>* writable);

  bool broken() const { return broken_ || sync_failed_; }

  // There is room for an operation with a request of so many bytes.
  absl::Status Prepare(int64_t request_bytes);
  // It was done, which took so long, and has this answer. `oldest_op_index`: as JournalOperation's.
  absl::Status Record(v1::JournalMethod method, absl::string_view request,
                      const grpc::ByteBuffer& answer, absl::Duration computed,
                      int64_t oldest_op_index);
  absl::Status RecordAttachment(int64_t generation);

  // Something follows the head.
  bool has_records() const { return file_.num_bytes() > head_bytes_; }
  // Doing again what the journal holds would take long beside writing what came of it.
  bool ShouldBeginAnew() const;
  // `state` holds what may change: start, generation, next_op_index, last_*, parked.
  absl::Status BeginAnew(v1::JournalHead state);

  // Whether an answer has to wait for the disk.
  bool waits() const { return sync_ != nullptr; }
  // Calls `done` when what was recorded is as durable as it shall be.
  void WhenKept(SyncThread::Done done);

  absl::Status Remove();

 private:
  absl::Status Append(const v1::JournalRecord& record);
  absl::Status Told(absl::Status written);

  JournalFile file_;
  const v1::JournalHead head_;
  SyncThread* const sync_;
  std::atomic<bool>* const writable_;
  bool broken_ = true;
  std::atomic<bool> sync_failed_{false};
  int64_t head_bytes_ = 0;
  absl::Duration head_time_;  // that writing the last head took
  absl::Duration computed_;   // since the head
  v1::JournalRecord record_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_JOURNAL_SESSION_JOURNAL_H_
