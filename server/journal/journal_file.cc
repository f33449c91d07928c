#include "server/journal/journal_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"

namespace livnd::server {
namespace {

constexpr absl::string_view kMagic = "LIVNDJ01";
constexpr size_t kFrameBytes = 8;  // before a record's own
constexpr int64_t kReserveAtLeast = 64 << 10;
constexpr int64_t kReserveAtMost = 4 << 20;  // beyond what is asked for
constexpr size_t kLargeBuffer = 1 << 20;     // is not kept
// What is longer was written by nobody: a head is no message of more, and what follows it is less than
// five times as much.
constexpr int64_t kMaxHeadBytes = int64_t{2} << 30;
constexpr int64_t kMaxFileBytes = 5 * kMaxHeadBytes;

uint32_t ReadUint32(const char* bytes) {
  uint32_t value;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}

uint32_t Checksum(absl::string_view bytes) {
  return static_cast<uint32_t>(XXH3_64bits(bytes.data(), bytes.size()));
}

void AppendFramed(const v1::JournalRecord& record, std::string* out) {
  const size_t begin = out->size();
  out->resize(begin + kFrameBytes);
  record.AppendToString(out);
  const absl::string_view body = absl::string_view(*out).substr(begin + kFrameBytes);
  const auto size = static_cast<uint32_t>(body.size());
  const uint32_t checksum = Checksum(body);
  std::memcpy(&(*out)[begin], &size, sizeof(size));
  std::memcpy(&(*out)[begin + sizeof(size)], &checksum, sizeof(checksum));
}

// The body of the record at `at`; none where there is no sound one.
std::optional<absl::string_view> RecordAt(absl::string_view file, size_t at) {
  if (at > file.size() || file.size() - at < kFrameBytes) return std::nullopt;
  const uint32_t size = ReadUint32(&file[at]);
  if (size == 0 || size > file.size() - at - kFrameBytes) return std::nullopt;
  const absl::string_view body = file.substr(at + kFrameBytes, size);
  if (Checksum(body) != ReadUint32(&file[at + sizeof(size)])) return std::nullopt;
  return body;
}

// Whether this is what a crash leaves of the last write: its beginning, and nothing after it. What was
// written to its end was told to somebody, and then it is damage.
bool IsCutWrite(absl::string_view rest) {
  if (rest.size() >= kFrameBytes) {
    const uint32_t size = ReadUint32(rest.data());
    if (size > 0 && size <= rest.size() - kFrameBytes && rest[kFrameBytes + size - 1] != '\0') {
      return false;
    }
  }
  for (size_t at = 1; at < rest.size(); ++at) {
    if (RecordAt(rest, at).has_value()) return false;
  }
  return true;
}

// Without the path, whose last part lets anyone drive the session.
absl::Status Failed(absl::string_view what) {
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot ", what, " the journal"));
}

// Bytes of a file that are worth reading; of its head alone as many as that says it has.
int64_t BytesWanted(int fd, int64_t file_bytes, ReadWhat what) {
  char start[kMagic.size() + kFrameBytes];
  constexpr auto kStartBytes = static_cast<int64_t>(sizeof(start));
  if (what == ReadWhat::kAll || file_bytes <= kStartBytes) return file_bytes;
  if (pread(fd, start, sizeof(start), 0) != kStartBytes ||
      absl::string_view(start, kMagic.size()) != kMagic) {
    return kStartBytes;
  }
  const int64_t head_bytes = ReadUint32(start + kMagic.size());
  return head_bytes > kMaxHeadBytes ? kStartBytes : std::min(file_bytes, kStartBytes + head_bytes);
}

absl::StatusOr<std::string> ReadFile(const std::string& path, ReadWhat what) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return Failed("read");
  std::string out;
  struct stat info;
  ssize_t n = -1;
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
    const int64_t num_bytes = BytesWanted(fd, info.st_size, what);
    if (num_bytes > kMaxFileBytes) {
      close(fd);
      return absl::DataLossError(
          absl::StrCat("the journal is damaged: no journal has ", num_bytes, " bytes"));
    }
    out.resize(static_cast<size_t>(num_bytes));
    size_t filled = 0;
    while ((n = read(fd, &out[filled], out.size() - filled)) > 0) {
      filled += static_cast<size_t>(n);
    }
    out.resize(filled);
  } else {
    errno = EINVAL;
  }
  const int error = errno;
  close(fd);
  errno = error;
  if (n < 0) return Failed("read");
  return out;
}

absl::Status WriteAt(int fd, absl::string_view bytes, int64_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(fd, bytes.data(), bytes.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Failed("write");
    bytes.remove_prefix(static_cast<size_t>(n));
    offset += n;
  }
  return absl::OkStatus();
}

// Of a file that was made or renamed, so that the machine remembers its name.
absl::Status SyncFolderOf(const std::string& path) {
  const std::string folder = path.substr(0, path.rfind('/'));
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Failed("sync");
  const int failed = fsync(fd);
  const int error = errno;
  close(fd);
  errno = error;
  return failed == 0 ? absl::OkStatus() : Failed("sync");
}

FileHandle Closing(int fd) {
  return FileHandle(new int(fd), [](const int* held) {
    close(*held);
    delete held;
  });
}

}  // namespace

absl::StatusOr<Journal> ReadJournal(const std::string& path, ReadWhat what) {
  LIVND_ASSIGN_OR_RETURN(const std::string file, ReadFile(path, what));
  if (!absl::StartsWith(file, kMagic)) {
    return absl::DataLossError("this is not a journal of this format");
  }
  Journal out;
  size_t at = kMagic.size();
  v1::JournalRecord record;
  std::optional<absl::string_view> body = RecordAt(file, at);
  if (!body.has_value() || !record.ParseFromArray(body->data(), static_cast<int>(body->size())) ||
      !record.has_head()) {
    return absl::DataLossError("the journal is damaged: it does not begin with a head");
  }
  out.head = std::move(*record.mutable_head());
  at += kFrameBytes + body->size();
  while (what == ReadWhat::kAll && (body = RecordAt(file, at)).has_value()) {
    if (!record.ParseFromArray(body->data(), static_cast<int>(body->size()))) break;
    out.records.push_back(std::move(record));
    record.Clear();
    at += kFrameBytes + body->size();
  }
  out.num_bytes = static_cast<int64_t>(at);
  if (what == ReadWhat::kHead) return out;
  const absl::string_view rest = absl::string_view(file).substr(at);
  out.torn = rest.find_first_not_of('\0') != absl::string_view::npos;
  if (out.torn && !IsCutWrite(rest)) {
    return absl::DataLossError(absl::StrCat("the journal is damaged at byte ", at));
  }
  return out;
}

absl::Status JournalFile::Reserve(int64_t num_bytes) {
  const int64_t wanted = num_bytes_ + static_cast<int64_t>(kFrameBytes) + num_bytes;
  if (wanted <= num_reserved_) return absl::OkStatus();
  const int64_t more = std::clamp(num_bytes_, kReserveAtLeast, kReserveAtMost);
  // What is reserved and not yet written reads as zeros, which end a journal.
  const int error = posix_fallocate(*fd_, num_reserved_, wanted + more - num_reserved_);
  if (error != 0) {
    errno = error;
    return Failed("find room for");
  }
  num_reserved_ = wanted + more;
  return absl::OkStatus();
}

absl::Status JournalFile::Append(const v1::JournalRecord& record) {
  buffer_.clear();
  AppendFramed(record, &buffer_);
  LIVND_RETURN_IF_ERROR(WriteAt(*fd_, buffer_, num_bytes_));
  num_bytes_ += static_cast<int64_t>(buffer_.size());
  if (buffer_.capacity() > kLargeBuffer) std::string().swap(buffer_);
  num_reserved_ = std::max(num_reserved_, num_bytes_);
  return absl::OkStatus();
}

absl::Status JournalFile::Replace(const v1::JournalHead& head) {
  v1::JournalRecord record;
  *record.mutable_head() = head;
  std::string bytes(kMagic);
  AppendFramed(record, &bytes);
  const std::string fresh = absl::StrCat(path_, ".new");
  const int fd = open(fresh.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return Failed("write");
  FileHandle closing = Closing(fd);
  absl::Status written = WriteAt(fd, bytes, 0);
  if (written.ok() && durability_ == Durability::kPower && fdatasync(fd) != 0) {
    written = Failed("sync");
  }
  if (written.ok() && std::rename(fresh.c_str(), path_.c_str()) != 0) {
    written = Failed("write");
  }
  if (!written.ok()) {
    unlink(fresh.c_str());
    return written;
  }
  fd_ = std::move(closing);
  num_bytes_ = num_reserved_ = static_cast<int64_t>(bytes.size());
  return durability_ == Durability::kPower ? SyncFolderOf(path_) : absl::OkStatus();
}

absl::Status SyncFile(const FileHandle& file) {
  return fdatasync(*file) == 0 ? absl::OkStatus()
                               : absl::ErrnoToStatus(errno, "cannot sync the journal");
}

absl::Status JournalFile::Remove() {
  if (unlink(path_.c_str()) != 0 && errno != ENOENT) return Failed("remove");
  return durability_ == Durability::kPower ? SyncFolderOf(path_) : absl::OkStatus();
}

}  // namespace livnd::server
