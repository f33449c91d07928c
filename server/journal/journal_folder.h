// Where the journals of a server's sessions are.
#ifndef LIVND_SERVER_JOURNAL_JOURNAL_FOLDER_H_
#define LIVND_SERVER_JOURNAL_JOURNAL_FOLDER_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "livnd/v1/journal.pb.h"
#include "server/journal/journal_file.h"
#include "server/journal/session_journal.h"
#include "server/journal/sync_thread.h"

namespace livnd::server {

// DIR/SESSION.journal, a file each. Thread-safe but for Finish.
class JournalFolder {
 public:
  // A journal that is there.
  struct Found {
    std::string session;
    absl::Time last_written;  // by the clock of the wall
  };

  // Makes the folder for the owner alone, and takes away what a crash has left of writes to it.
  static absl::StatusOr<std::unique_ptr<JournalFolder>> Open(std::string path,
                                                             Durability durability);

  // Ordered by name.
  absl::StatusOr<std::vector<Found>> List() const;
  std::string PathOf(const std::string& session) const;

  // Of a session that is new, or that was brought back: what it writes takes the place of what was
  // there. The folder must outlive it.
  std::unique_ptr<SessionJournal> JournalOf(const std::string& session, v1::JournalHead head) const;
  // Whether the last write of a journal succeeded. Where it did not, writes a file of its own and takes
  // it away, to see whether there is room again.
  bool CheckWritable();

  // After the last WhenKept of its journals: what they have asked for is done.
  void Finish() { sync_.reset(); }

  // Of a session that is not in memory.
  absl::Status Remove(const std::string& session) const;

 private:
  JournalFolder(std::string path, Durability durability);

  const std::string path_;
  const Durability durability_;
  mutable std::atomic<bool> writable_{true};
  std::unique_ptr<SyncThread> sync_;  // null with kProcess
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_JOURNAL_JOURNAL_FOLDER_H_
