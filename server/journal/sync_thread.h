// Waits for the disk, so that nobody else has to.
#ifndef LIVND_SERVER_JOURNAL_SYNC_THREAD_H_
#define LIVND_SERVER_JOURNAL_SYNC_THREAD_H_

#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "server/journal/journal_file.h"
#include "server/machine/mutex.h"

namespace livnd::server {

// Group commit: what comes while the disk is busy is synced in one go afterwards, a file once for all
// who wait for it.
//
// Thread-safe.
class SyncThread {
 public:
  using Done = absl::AnyInvocable<void(absl::Status) &&>;

  SyncThread();
  // Syncs what was asked for before.
  ~SyncThread();
  SyncThread(const SyncThread&) = delete;
  SyncThread& operator=(const SyncThread&) = delete;

  // Calls `done`, on the thread, once what was written to the file until now is on the disk.
  void Sync(FileHandle file, Done done) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mu_);

  Mutex mu_;
  CondVar wake_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::pair<FileHandle, Done>> waiting_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_JOURNAL_SYNC_THREAD_H_
