#include "io/neuroh5/superblock.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace livnd::io {

// It is at byte 0, 512, 1024, 2048 and so on; from version 3 on its byte 11 has the marks.
absl::StatusOr<Superblock> ReadSuperblock(const std::string& path, uint64_t num_bytes) {
  constexpr char kSignature[] = {'\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n'};
  constexpr unsigned char kOpenMarks = 0x01 | 0x04;  // a writer; one that others may read beside
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, path);
  Superblock superblock;
  absl::Status status;
  for (uint64_t at = 0; at < num_bytes && !superblock.found; at = at == 0 ? 512 : 2 * at) {
    unsigned char head[12] = {};
    const ssize_t got = pread(fd, head, sizeof(head), static_cast<off_t>(at));
    if (got < 0) {
      status = absl::ErrnoToStatus(errno, path);
      break;
    }
    superblock.found = std::memcmp(head, kSignature, sizeof(kSignature)) == 0;
    superblock.open_for_writing = superblock.found && head[8] >= 3 && (head[11] & kOpenMarks) != 0;
  }
  close(fd);
  if (!status.ok()) return status;
  return superblock;
}

}  // namespace livnd::io
