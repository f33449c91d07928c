// Where the recordings of a server's tenants are.
#ifndef LIVND_SERVER_RECORDING_RECORDING_FOLDER_H_
#define LIVND_SERVER_RECORDING_RECORDING_FOLDER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "io/recording/stream.h"
#include "livnd/v1/recording_service.pb.h"
#include "server/machine/mutex.h"
#include "server/recording/growing_recording.h"

namespace livnd::server {

// DIR/TENANT/NAME.h5, a file each, of the owner alone. Names are the server's: 32 hexadecimal digits. Of
// each tenant there are so many at most, and they take so many bytes.
//
// Thread-safe. Calls that read or write files wait for the disk: they are not for threads that answer
// calls.
class RecordingFolder {
 public:
  struct Options {
    int max_recordings = 1024;                        // of a tenant
    int64_t max_recording_bytes = int64_t{16} << 30;  // of one
    int64_t max_tenant_bytes = int64_t{64} << 30;     // of all of a tenant's
    bool durable = false;                             // what is flushed survives the machine
  };
  // Over all recordings since the server started, for the metrics.
  struct Totals {
    int num_growing = 0;
    int64_t num_bytes = 0;  // of all files
    int64_t num_rows = 0, num_dropped = 0;
    int64_t num_waits = 0;
    double waited_s = 0.0;
  };

  ~RecordingFolder();
  RecordingFolder(const RecordingFolder&) = delete;
  RecordingFolder& operator=(const RecordingFolder&) = delete;

  // Makes the folder, and takes away what a crash has left of files that were being made.
  static absl::StatusOr<std::unique_ptr<RecordingFolder>> Open(std::string path, Options options);

  // A new recording of a tenant, in the place of one by this name, if a crash has left one before anybody
  // was told of it. QUOTA_EXCEEDED; the system's error.
  absl::StatusOr<std::shared_ptr<GrowingRecording>> Create(
      const std::string& tenant, const std::string& name, const io::Attributes& attributes,
      const std::vector<io::StreamSpec>& streams) ABSL_LOCKS_EXCLUDED(mu_);
  // Goes on with one, from what was flushed last. RecordingFile::Resume's errors.
  absl::StatusOr<std::shared_ptr<GrowingRecording>> GoOn(const std::string& tenant,
                                                         const std::string& name)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Cuts a recording short where the tenant's have become too large.
  void CheckGrowth(const std::string& tenant, GrowingRecording& recording) ABSL_LOCKS_EXCLUDED(mu_);
  // It grows no more: closes it.
  void End(const std::string& tenant, std::shared_ptr<GrowingRecording> recording, bool paused)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Nobody goes on with one that does not grow, since its session has ended, or since it cannot be gone
  // on with. Where the file cannot be written, List tells it nevertheless, and it is tried again when this ends; a
  // process that dies before leaves a file that says that its writer is away, or that it is paused.
  void GiveUp(const std::string& tenant, const std::string& name, bool cut_short)
      ABSL_LOCKS_EXCLUDED(mu_);

  // The latest first.
  std::vector<v1::Recording> List(const std::string& tenant) ABSL_LOCKS_EXCLUDED(mu_);
  // Of one that there is. UNKNOWN_RECORDING.
  absl::StatusOr<std::string> Find(const std::string& tenant, const std::string& name) const;
  bool IsGrowing(const std::string& tenant, const std::string& name) const ABSL_LOCKS_EXCLUDED(mu_);
  // UNKNOWN_RECORDING, RECORDING_UNDER_WAY; the system's error.
  absl::Status Delete(const std::string& tenant, const std::string& name) ABSL_LOCKS_EXCLUDED(mu_);

  Totals totals() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  using Key = std::pair<std::string, std::string>;  // tenant, name
  // What of a file that does not grow was found out, while it is as it was then.
  struct Known {
    int64_t mtime_ns = 0, num_bytes = 0;
    v1::Recording recording;
  };

  // What was given up, while its file does not say so since it could not be written.
  struct Unmarked {
    bool cut_short = false;
    std::string why;
  };

  RecordingFolder(std::string path, Options options);
  std::string FolderOf(const std::string& tenant) const;
  std::string PathOf(const std::string& tenant, const std::string& name) const;
  absl::StatusOr<std::shared_ptr<GrowingRecording>> Grow(const Key& key,
                                                         std::unique_ptr<io::RecordingFile> file)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Of the files that do not grow, and of those that do.
  int64_t BytesOf(const std::string& tenant) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Whether a file that does not grow says that it was cut short; and has it say so, or that it is complete.
  bool IsMarked(const Key& key) const;
  absl::Status Mark(const Key& key, bool cut_short) const;
  // What a file does not say of itself yet.
  void AddUnmarked(const std::string& tenant, v1::Recording* recording) const
      ABSL_LOCKS_EXCLUDED(mu_);
  // Takes a file that does not grow into the account.
  void Account(const Key& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::string path_;
  const Options options_;
  mutable Mutex mu_;
  std::map<Key, std::shared_ptr<GrowingRecording>> growing_ ABSL_GUARDED_BY(mu_);
  std::map<Key, int64_t> bytes_ ABSL_GUARDED_BY(mu_);  // of files that do not grow
  std::map<Key, Known> known_ ABSL_GUARDED_BY(mu_);
  std::map<Key, Unmarked> unmarked_ ABSL_GUARDED_BY(mu_);
  Totals ended_ ABSL_GUARDED_BY(mu_);  // of recordings that grow no more
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_RECORDING_RECORDING_FOLDER_H_
