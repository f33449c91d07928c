#include "server/machine/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/field_error.h"

namespace livnd::server {
namespace {

absl::Status CheckReaders(const struct stat& about) {
  if (about.st_uid != geteuid() && about.st_uid != 0) {
    return MakeFieldError("owner", absl::StrCat("the user ", about.st_uid),
                          absl::StrCat("the server's user ", geteuid(), ", or root"));
  }
  const bool is_roots = about.st_uid == 0;
  const mode_t allowed = is_roots ? 0640 : 0600;
  const mode_t mode = about.st_mode & 07777;
  if ((mode & 0077 & ~allowed) == 0) return absl::OkStatus();
  return MakeFieldError("mode", absl::StrFormat("%04o", mode),
                        absl::StrFormat("%04o or less: it holds a secret", allowed));
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, absl::string_view what,
                                     size_t max_bytes, Readers readers) {
  const auto fault = [&](absl::string_view value) {
    return InFile(
        path.empty() ? "''" : path,
        MakeFieldError("", value,
                       absl::StrCat(what, " that can be read, of at most ", max_bytes, " bytes")));
  };
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return fault(std::strerror(errno));
  struct stat about;
  const bool is_file = fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
  std::string text(max_bytes + 1, '\0');
  size_t size = 0;
  ssize_t n = 0;
  while (is_file && size < text.size()) {
    n = read(fd, text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    size += static_cast<size_t>(n);
  }
  const int error = errno;
  close(fd);
  if (!is_file) return fault("no regular file");
  if (n < 0) return fault(std::strerror(error));
  if (size > max_bytes) return fault("larger than that");
  if (readers == Readers::kFew) {
    if (absl::Status open_to_few = CheckReaders(about); !open_to_few.ok()) {
      return InFile(path, open_to_few);
    }
  }
  text.resize(size);
  return text;
}

}  // namespace livnd::server
