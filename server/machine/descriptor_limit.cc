#include "server/machine/descriptor_limit.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "absl/strings/str_cat.h"

namespace livnd::server {

int DescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  return static_cast<int>(std::min<rlim_t>(limit.rlim_cur, std::numeric_limits<int>::max()));
}

int RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  return DescriptorLimit();
}

absl::Status RequireFreeDescriptors(int num_free) {
  const int limit = DescriptorLimit();
  int found = 0;
  for (int fd = 0; fd < limit && found < num_free; ++fd) {
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) ++found;
  }
  if (found == num_free) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("the process's limit of ", limit, " file descriptors leaves ", found,
                   " and at least ", num_free, " are needed; raise it (ulimit -n)"));
}

}  // namespace livnd::server
