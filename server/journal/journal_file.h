// The file of a journal (journal.proto says what is in it).
#ifndef LIVND_SERVER_JOURNAL_JOURNAL_FILE_H_
#define LIVND_SERVER_JOURNAL_JOURNAL_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "livnd/v1/journal.pb.h"

namespace livnd::server {

// When a record counts as written.
enum class Durability {
  kProcess,  // the process may end in any way
  kPower,    // the machine too
};

// A journal as it was read.
struct Journal {
  v1::JournalHead head;
  std::vector<v1::JournalRecord> records;  // what came after it
  int64_t num_bytes = 0;                   // up to the end of the last sound record
  bool torn = false;                       // something was written after it
};

// Reads a journal; records stay empty where only the head is wanted. NotFound; DataLoss: the file is
// no journal, its head is damaged, or a damaged record has sound ones after it. Otherwise the system's
// error.
enum class ReadWhat { kAll, kHead };
absl::StatusOr<Journal> ReadJournal(const std::string& path, ReadWhat what = ReadWhat::kAll);

// An open file, closed when nobody holds it any more.
using FileHandle = std::shared_ptr<const int>;

// What has been written to it survives the machine. Blocks for as long as the disk takes.
absl::Status SyncFile(const FileHandle& file);

// Writes a journal. Whatever fails, what was written before is still there and readable.
//
// Thread-compatible.
class JournalFile {
 public:
  // Begins with Replace.
  JournalFile(std::string path, Durability durability)
      : path_(std::move(path)), durability_(durability) {}
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;

  // Sees that a record of so many bytes has room on the disk; a call of Append for no more does not
  // fail for the want of it.
  absl::Status Reserve(int64_t num_bytes);
  absl::Status Append(const v1::JournalRecord& record);
  // Makes the file in one rename: a journal with this head and nothing else, which takes the place of
  // one that is there.
  absl::Status Replace(const v1::JournalHead& head);
  // Takes the file away.
  absl::Status Remove();

  // Up to the end of the last record.
  int64_t num_bytes() const { return num_bytes_; }
  const FileHandle& handle() const { return fd_; }

 private:
  const std::string path_;
  const Durability durability_;
  FileHandle fd_;
  int64_t num_bytes_ = 0;
  int64_t num_reserved_ = 0;  // bytes of the file that have room on the disk
  std::string buffer_;
};

}  // namespace livnd::server

#endif  // LIVND_SERVER_JOURNAL_JOURNAL_FILE_H_
